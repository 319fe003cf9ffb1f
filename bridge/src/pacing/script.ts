/**
 * One step of the windows in Redis: refuses, or takes all that a message needs. Redis runs it as one, so that no two
 * bridges take the same place; its clock is the only one, so that theirs need not agree.
 *
 * KEYS messages, small, open, hold:messages, hold:small, identity.
 * ARGV id, weight, contract or '', identity or '', place or '', then limit and length (ms) of messages, small, contract,
 * length of identical, limit of open, lease of an open place (ms), wait for an open place (ms), what of the message rate
 * is left free, and the jitter (ms) that it is left free for.
 * Returns rule or '', wait (ms), messages, small weight, hold of messages (ms), hold of small (ms).
 */
export const TAKE = `
local messages, small, open, holdAll, holdSmall, twin = unpack(KEYS)
local id, weight, contract, identity, place = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local messageLimit, messageMs, smallLimit, smallMs = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local alikeLimit, alikeMs, twinMs = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local openLimit, leaseMs, lookMs = tonumber(ARGV[13]), tonumber(ARGV[14]), tonumber(ARGV[15])
local free, jitterMs = tonumber(ARGV[16]), tonumber(ARGV[17])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- What has left its window is dropped; after a clock that was set back, what went later went now.
local function forget(key, ms)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - ms)
  for _, one in ipairs(redis.call('ZRANGEBYSCORE', key, '(' .. now, '+inf')) do redis.call('ZADD', key, now, one) end
end
forget(messages, messageMs + jitterMs)
forget(small, smallMs)
redis.call('ZREMRANGEBYSCORE', open, '-inf', now)

local kept = redis.call('ZCARD', messages)
local count = redis.call('ZCOUNT', messages, '(' .. (now - messageMs), '+inf')
local function sentAt(ago)
  local one = redis.call('ZRANGE', messages, kept - ago, kept - ago, 'WITHSCORES')
  return tonumber(one[2])
end
local used, alike, sent = 0, {}, redis.call('ZRANGE', small, 0, -1, 'WITHSCORES')
for i = 1, #sent, 2 do
  local w, of = string.match(sent[i], '^(%d+)|[^|]*|(.*)$')
  used = used + w
  if contract ~= '' and of == contract then table.insert(alike, sent[i + 1]) end
end
local heldAll = math.max(0, redis.call('PTTL', holdAll))
local heldSmall = math.max(0, redis.call('PTTL', holdSmall))
local function refuse(rule, wait) return { rule, math.max(1, wait), count, used, heldAll, heldSmall } end

local wait = heldAll
if kept >= messageLimit then
  local full = sentAt(messageLimit) + messageMs - now
  local spread = full + jitterMs
  if kept >= free and free > 0 then spread = math.min(spread, sentAt(free) + jitterMs - now) end
  wait = math.max(wait, full, spread)
end
if wait > 0 then return refuse('messages', wait) end
if place ~= '' and redis.call('ZCARD', open) >= openLimit then return refuse('open', lookMs) end
if weight > 0 then
  local over = used + weight - smallLimit
  wait = heldSmall
  for i = 1, #sent, 2 do
    if over <= 0 then break end
    over = over - string.match(sent[i], '^%d+')
    wait = math.max(wait, sent[i + 1] + smallMs - now)
  end
  if wait > 0 then return refuse('small', wait) end
  if #alike >= alikeLimit then return refuse('contract', alike[#alike - alikeLimit + 1] + alikeMs - now) end
end
if identity ~= '' then
  wait = redis.call('PTTL', twin)
  if wait > 0 then return refuse('identical', wait) end
  redis.call('SET', twin, '1', 'PX', twinMs)
end

redis.call('ZADD', messages, now, id)
redis.call('PEXPIRE', messages, messageMs + jitterMs)
if weight > 0 then
  redis.call('ZADD', small, now, weight .. '|' .. id .. '|' .. contract)
  redis.call('PEXPIRE', small, smallMs)
end
if place ~= '' then
  redis.call('ZADD', open, now + leaseMs, place)
  redis.call('PEXPIRE', open, leaseMs)
end
return { '', 0, count + 1, used + weight, heldAll, heldSmall }
`

/**
 * The windows as they are: KEYS messages, small, hold:messages, hold:small.
 * Returns Redis' time (ms), the messages with their instants, the small requests with theirs, and both holds (ms).
 */
export const LOOK = `
local time = redis.call('TIME')
return {
  time[1] * 1000 + math.floor(time[2] / 1000),
  redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES'),
  redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES'),
  math.max(0, redis.call('PTTL', KEYS[3])),
  math.max(0, redis.call('PTTL', KEYS[4])),
}
`

/** Keeps open places of a bridge that is alive: KEYS open; ARGV lease (ms), then the places. */
export const RENEW = `
local time = redis.call('TIME')
local untilMs = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1]
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 'XX', untilMs, ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
`
