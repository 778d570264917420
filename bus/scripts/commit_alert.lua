-- A change of one rule at one camera, with the alert it opens or closes and who is to be told.
redis.replicate_commands()
local _, watches, open, closed, outbox = unpack(KEYS)
if header.change.state == '' then redis.call('HDEL', watches, header.change.watch)
else redis.call('HSET', watches, header.change.watch, header.change.state) end
if header.change.opened then redis.call('HSET', open, header.alert_id, header.change.opened) end
if header.change.closed then
  redis.call('HDEL', open, header.alert_id)
  redis.call('XADD', closed, 'MAXLEN', header.closed_kept, '*', 'alert', header.change.closed)
  local oldest_ms = (redis.call('TIME')[1] - header.closed_kept_s) * 1000
  redis.call('XTRIM', closed, 'MINID', string.format('%.0f', oldest_ms))
end
for i, delivery in ipairs(header.change.deliveries) do
  redis.call('HSET', outbox, header.delivery_ids[i], delivery)
end
return 1
