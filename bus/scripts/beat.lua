redis.replicate_commands()
local header = cjson.decode(ARGV[1])
local beats, details, connections = unpack(KEYS)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREM', beats, header.member)  -- first, so that a full Redis takes the rest (ADR 0027)
redis.call('ZADD', beats, now, header.member)
redis.call('HSET', details, header.member, header.details)
redis.call('HSET', connections, header.member, header.connection)
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', beats, '-inf', now - header.kept_ms)) do
  redis.call('ZREM', beats, gone)
  redis.call('HDEL', details, gone)
  redis.call('HDEL', connections, gone)
end
local pairs_of = redis.call('ZRANGE', beats, 0, -1, 'WITHSCORES')
local members = {}
for i = 1, #pairs_of, 2 do
  members[#members + 1] = pairs_of[i]
  members[#members + 1] = now - pairs_of[i + 1]
  members[#members + 1] = redis.call('HGET', connections, pairs_of[i]) or '0'
end
return members
