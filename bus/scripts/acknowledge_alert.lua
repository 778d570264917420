-- Acknowledges an alert, or takes that back, while it is open.
local header = cjson.decode(ARGV[1])
local open, acknowledged = unpack(KEYS)
if redis.call('HEXISTS', open, header.alert_id) == 0 then return 0 end
if header.acknowledgement then redis.call('HSET', acknowledged, header.alert_id, header.acknowledgement)
else redis.call('HDEL', acknowledged, header.alert_id) end
return 1
