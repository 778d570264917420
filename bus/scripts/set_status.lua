-- Also notes what the connection did: another state or reason than the one noted last, or a new
-- connection. Attempts in between (`connecting`) are not noted: a camera that is away for a week
-- would leave nothing else. A reason that is noted is counted.
local _, status, connections, totals = unpack(KEYS)
redis.call('DEL', status)  -- first, so that a full Redis takes the rest (ADR 0027)
redis.call('SET', status, header.status)
if header.state == 'connecting' then return 1 end
local last = redis.call('XREVRANGE', connections, '+', '-', 'COUNT', 1)[1]
local was = last and last[2] or {}
local kind, since = header.kind, header.since_s
local reconnected = header.state == 'live' and was[6] ~= since
if was[2] ~= header.state or was[4] ~= kind or reconnected then
  redis.call('XADD', connections, 'MAXLEN', header.connections_kept, '*',
    'state', header.state, 'kind', kind, 'since', since, 'error', header.words)
  if kind ~= '' and was[4] ~= kind then
    redis.call('HINCRBYFLOAT', totals, header.fault_field, 1)
  end
end
return 1
