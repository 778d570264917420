-- Runs at least two commands that write, so that Redis writes them as a transaction, like whatever
-- counts: users that may replay no transaction lose the mark, too.
redis.replicate_commands()
local header = cjson.decode(ARGV[1])
local marks, missing = unpack(KEYS)
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local refused = string.match(redis.call('INFO', 'stats'), 'unexpected_error_replies:(%d+)') or '0'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREM', marks, run)
redis.call('ZADD', marks, now, run)
local function written(other) return tonumber(redis.call('ZSCORE', marks, other) or '0') end
local function lacks(other, until_ms)
  return written(other) + header.may_lose_ms < tonumber(until_ms)
end
if header.seen_run ~= '' and lacks(header.seen_run, header.seen_until_ms) then
  redis.call('ZADD', missing, header.seen_until_ms, header.seen_run)
end
local lost = {}
local pairs_of = redis.call('ZRANGE', missing, 0, -1, 'WITHSCORES')
for i = 1, #pairs_of, 2 do
  if lacks(pairs_of[i], pairs_of[i + 1]) then
    lost = {string.format('%.0f', written(pairs_of[i])), pairs_of[i + 1]}
  else
    redis.call('ZREM', missing, pairs_of[i])
  end
end
for _, old in ipairs(redis.call('ZRANGE', marks, 0, -header.runs_kept - 1)) do
  redis.call('ZREM', marks, old)
end
if redis.call('ZSCORE', marks, 'accepted:' .. run) then refused = '0' end
return {run, string.format('%.0f', now), refused, unpack(lost)}
