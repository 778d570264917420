-- Moves open amounts into their packed day. Amounts that others added meanwhile stay open: the
-- packed amounts are subtracted, and no field is deleted before it is 0. Where the day is no longer
-- as it was read, our own script packed it meanwhile, carried out late: then nothing is packed.
-- The day's sums change in the same step, or are deleted to be made again. A reader may have made
-- them meanwhile: then nothing is packed either.
local _, minutes, day, sheet = unpack(KEYS)
local packed, read, sums, sums_read = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if (redis.call('GET', day) or '') ~= read then return 0 end
if (redis.call('GET', sheet) or '') ~= sums_read then return 0 end
for _, open in ipairs(header.amounts) do
  local field, amount = unpack(open)
  if redis.call('HINCRBY', minutes, field, -amount) == 0 then
    redis.call('HDEL', minutes, field)
  end
end
redis.call('SET', day, packed, 'EXAT', header.expires_at_s)
if sums == '' then
  redis.call('DEL', sheet)
else
  redis.call('SET', sheet, sums, 'EXAT', header.sums_expire_at_s)
end
return 1
