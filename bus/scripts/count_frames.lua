local _, totals, minutes = unpack(KEYS)
redis.call('HDEL', totals, '')  -- first, so that a full Redis takes the rest (ADR 0027)
local counts = header.counts
for i = 1, #counts, 2 do redis.call('HINCRBYFLOAT', totals, counts[i], counts[i + 1]) end
local amounts = header.minutes
for i = 1, #amounts, 2 do redis.call('HINCRBY', minutes, amounts[i], amounts[i + 1]) end
return 1
