-- The picture is kept out of the append-only file and of replicas (REPL_NONE): pictures would be
-- most of the server's writing. The counters beside it are written as ever.
redis.replicate_commands()
local _, totals, minutes, frames = unpack(KEYS)
local picture = ARGV[2]

local captured = redis.call('HINCRBY', totals, 'frames:captured', header.captured)
local sequence = redis.call('HINCRBY', totals, 'frames:published', 1)
local counts = header.counts
for i = 1, #counts, 2 do redis.call('HINCRBYFLOAT', totals, counts[i], counts[i + 1]) end
local amounts = header.minutes
for i = 1, #amounts, 2 do redis.call('HINCRBY', minutes, amounts[i], amounts[i + 1]) end

redis.set_repl(redis.REPL_NONE)
local entry = {
  'v', header.v, 'seq', sequence, 'index', captured - 1, 'at', header.captured_at_s,
  'jpeg', picture,
}
if header.trace ~= '' then entry[11], entry[12] = 'trace', header.trace end
redis.call('XADD', frames, 'MAXLEN', header.most_frames, '*', unpack(entry))
redis.call('EXPIRE', frames, header.kept_s)
redis.set_repl(redis.REPL_ALL)
return sequence
