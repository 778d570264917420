-- A change of one rule at one camera, with the alert it opens or closes and who is to be told.
redis.replicate_commands()
local _, watches, open, current, acknowledged, closed, outbox = unpack(KEYS)
if header.change.state == '' then redis.call('HDEL', watches, header.change.watch)
else redis.call('HSET', watches, header.change.watch, header.change.state) end
if header.change.opened then redis.call('HSET', open, header.alert_id, header.change.opened) end
if header.change.current then
  redis.call('HSET', current, header.change.current_of, header.change.current)
end
if header.change.closed then
  local row = {'alert', header.change.closed}
  local by = redis.call('HGET', acknowledged, header.alert_id)
  if by then row[3], row[4] = 'acknowledged', by end
  for _, of_open in ipairs({open, current, acknowledged}) do redis.call('HDEL', of_open, header.alert_id) end
  redis.call('XADD', closed, 'MAXLEN', header.closed_kept, '*', unpack(row))
  local oldest_ms = (redis.call('TIME')[1] - header.closed_kept_s) * 1000
  redis.call('XTRIM', closed, 'MINID', string.format('%.0f', oldest_ms))
end
for i, delivery in ipairs(header.change.deliveries) do
  redis.call('HSET', outbox, header.delivery_ids[i], delivery)
end
return 1
