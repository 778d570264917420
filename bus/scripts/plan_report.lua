-- Puts a report into the outbox, unless its schedule changed or the period was planned before.
local header = cjson.decode(ARGV[1])
local schedules, planned, outbox = unpack(KEYS)
if redis.call('HGET', schedules, header.schedule_id) ~= ARGV[2] then return 0 end
local before = tonumber(redis.call('HGET', planned, header.schedule_id) or '0')
if before >= header.until_s then return 0 end
redis.call('HSET', planned, header.schedule_id, header.until_s)
redis.call('HSET', outbox, header.delivery_id, ARGV[3])
return 1
