-- As with frames, pictures of people go to neither the append-only file nor a replica. The pictures
-- follow the header in the order of their names.
redis.replicate_commands()
local header = cjson.decode(ARGV[1])
redis.set_repl(redis.REPL_NONE)
redis.call('DEL', KEYS[1])
for i, name in ipairs(header.names) do redis.call('HSET', KEYS[1], name, ARGV[i + 1]) end
redis.call('EXPIRE', KEYS[1], header.kept_s)
redis.set_repl(redis.REPL_ALL)
return 1
