-- All of a frame's outcome or none of it. The gap between this frame and the last one committed is
-- what nobody analysed. The part of the gap that the worker does not explain was pushed out of the
-- stream before any worker read it.
redis.replicate_commands()
local _, totals, position, tracker, latest, view, minutes, people, condition = unpack(KEYS)
local picture = ARGV[2]
local sequence = header.outcome.sequence

local before, commits = string.match(redis.call('GET', position) or '0 0', '^(%d+) ?(%d*)$')
local last = tonumber(before) or 0  -- an unreadable position counts as 0, as in `resume`
commits = tonumber(commits) or 0
local repeated = sequence == last and not header.outcome.flush
if sequence < last or repeated or commits ~= header.commits then
  return refuse('NOTNEWER', 'not_newer')
end

local overflow = sequence - last - header.outcome.explained
if overflow > 0 then
  redis.call('HINCRBYFLOAT', totals, 'dropped:overflow', overflow)
  redis.call('HINCRBY', minutes, header.dropped_field, overflow)
end
local counts = header.outcome.increments
for i = 1, #counts, 2 do redis.call('HINCRBYFLOAT', totals, counts[i], counts[i + 1]) end
for _, amounts in ipairs({header.outcome.minutes, header.people_minutes}) do
  for i = 1, #amounts, 2 do redis.call('HINCRBY', minutes, amounts[i], amounts[i + 1]) end
end
redis.call('EXPIRE', minutes, header.history_s)

if #header.outcome.people > 0 then
  for _, person in ipairs(header.outcome.people) do
    redis.call('XADD', people, 'MAXLEN', header.people_kept, '*', 'person', person)
  end
  local oldest_ms = (redis.call('TIME')[1] - header.people_kept_s) * 1000
  redis.call('XTRIM', people, 'MINID', string.format('%.0f', oldest_ms))
  redis.call('EXPIRE', people, header.people_kept_s)
end

redis.call('SET', position, string.format('%.0f %.0f', sequence, commits + 1))
redis.call('SET', tracker, header.outcome.tracker_state)
if header.outcome.condition then
  local report, state = header.outcome.condition.report, header.outcome.condition.state
  redis.call('HSET', condition, 'report', report, 'state', state)
end
if header.outcome.faces then redis.call('SET', latest, header.outcome.faces) end

if picture ~= '' then
  redis.set_repl(redis.REPL_NONE)
  local entry = {
    'v', 2, 'seq', sequence, 'at', header.captured_at_s or '', 'jpeg', picture,
    'faces', header.face_counts or '',
  }
  if header.outcome.trace ~= '' then entry[11], entry[12] = 'trace', header.outcome.trace end
  redis.call('XADD', view, 'MAXLEN', 1, '*', unpack(entry))
  redis.call('EXPIRE', view, header.view_kept_s)
  redis.set_repl(redis.REPL_ALL)
end
return overflow
