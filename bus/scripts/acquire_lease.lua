local header = cjson.decode(ARGV[1])
local lease, fence = unpack(KEYS)
local owner = string.match(redis.call('GET', lease) or '', '^(.*):%d+$')
for _, dead in ipairs(header.dead) do
  if dead == owner then owner = nil end
end
if owner then return 0 end
redis.call('DEL', lease)  -- first, so that a full Redis takes the rest (ADR 0027)
local token = redis.call('INCR', fence)
redis.call('SET', lease, header.owner .. ':' .. token, 'PX', header.kept_ms)
return token
