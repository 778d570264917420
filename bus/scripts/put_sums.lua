-- Stores a sheet that was made from its packed days, unless somebody else made it meanwhile, or a
-- day is no longer as it was read: then the sheet is made again by its next reader.
local header = cjson.decode(ARGV[1])
local sheet = KEYS[1]
if redis.call('EXISTS', sheet) == 1 then return 0 end
for place, bytes in ipairs(header.bytes_read) do
  if redis.call('STRLEN', KEYS[place + 1]) ~= bytes then return 0 end
end
redis.call('SET', sheet, ARGV[2], 'EXAT', header.expires_at_s)
return 1
