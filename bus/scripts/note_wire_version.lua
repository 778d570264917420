local header = cjson.decode(ARGV[1])
local noted = redis.call('GET', KEYS[1]) or ''
local found = string.match(noted, '^%d+$') and #noted < 9 and tonumber(noted) or 0
if found >= header.version then return found end
redis.call('SET', KEYS[1], header.version)
return header.version
