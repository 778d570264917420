-- Moves open amounts into their packed day. Amounts that others added meanwhile stay open: the
-- packed amounts are subtracted, and no field is deleted before it is 0. Where the day is no longer
-- as it was read, our own script packed it meanwhile, carried out late: then nothing is packed.
local _, minutes, day = unpack(KEYS)
local packed, read = ARGV[2], ARGV[3]
if (redis.call('GET', day) or '') ~= read then return 0 end
for _, open in ipairs(header.amounts) do
  local field, amount = unpack(open)
  if redis.call('HINCRBY', minutes, field, -amount) == 0 then
    redis.call('HDEL', minutes, field)
  end
end
redis.call('SET', day, packed, 'EXAT', header.expires_at_s)
return 1
