-- Goes before each script that a lease fences. KEYS[1] is the lease. Where the header counts
-- refusals, KEYS[2] has the camera's totals.
local header = cjson.decode(ARGV[1])

local function refuse(reply, reason)
  if header.counts_refusals and redis.call('EXISTS', KEYS[2]) == 1 then
    -- Redis writes this one command into its file, and never the call, which has pictures.
    redis.replicate_commands()
    redis.call('HINCRBY', KEYS[2], 'refused:' .. reason, 1)
  end
  return redis.error_reply(reply)
end

if redis.call('GET', KEYS[1]) ~= header.owner then return refuse('LEASELOST', 'lease_lost') end
