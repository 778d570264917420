local header = cjson.decode(ARGV[1])
if redis.call('GET', KEYS[1]) ~= header.owner then return 0 end
return redis.call('DEL', KEYS[1])
