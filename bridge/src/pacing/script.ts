/**
 * One step of the windows in Redis: refuses, or takes all that a message needs. Redis runs it as one, so that no two
 * bridges take the same place; its clock is the only one, so that theirs need not agree.
 *
 * KEYS messages, small, open, hold:messages, hold:small, identity, born.
 * ARGV id, weight, contract or '', identity or '', place or '', then limit and length (ms) of messages, small, contract,
 * length of identical, limit of open, lease of an open place (ms), wait for an open place (ms), what of the message rate
 * is left free, the jitter (ms) that it is left free for, the birth that the bridge knows, and how long (ms) after a birth
 * nothing goes.
 * Returns rule or '', wait (ms), messages, small weight, hold of messages (ms), hold of small (ms). The rule is `born`
 * where the memory is not the one that the bridge knows: it has to say first what it remembers.
 */
export const TAKE = `
local messages, small, open, holdAll, holdSmall, twin, born = unpack(KEYS)
local id, weight, contract, identity, place = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local messageLimit, messageMs, smallLimit, smallMs = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local alikeLimit, alikeMs, twinMs = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local openLimit, leaseMs, lookMs = tonumber(ARGV[13]), tonumber(ARGV[14]), tonumber(ARGV[15])
local free, jitterMs, known, settleMs = tonumber(ARGV[16]), tonumber(ARGV[17]), ARGV[18], tonumber(ARGV[19])
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

local birth = redis.call('GET', born)
if not birth or birth ~= known then return refuse('born', 1) end
local settledMs = string.match(birth, '%d+$') + settleMs
if now < settledMs then return refuse('store', settledMs - now) end

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
  redis.call('ZADD', small, now, weight .. '|' .. identity .. '~' .. id .. '|' .. contract)
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

/** Keeps open places of a bridge that is alive, or takes them again where they were lost: KEYS open; ARGV lease (ms), then the places. */
export const RENEW = `
local time = redis.call('TIME')
local untilMs = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1]
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], untilMs, ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
`

/**
 * Tells Redis what a bridge remembers, for a Redis that was started anew has forgotten it, all or what it had not saved.
 * What is there already is not counted twice: one identity goes once in fifteen seconds.
 *
 * KEYS small, open, born, hold:messages, hold:small, then the identities of the twins.
 * ARGV the bridge's name, the run of Redis, length of small (ms), length of identical (ms), lease (ms), then JSON of: \`small\` requests as
 * \`[weight, identity, contract, age (ms)]\`; open \`places\`; \`holds\`, of all messages and of the small ones (ms); and
 * \`twins\`, how much longer (ms) each of those keys stands.
 * Returns the birth of the memory: this run, and the instant (Redis' ms) at which the first bridge spoke to it.
 */
export const REMEMBER = `
local small, open, born = unpack(KEYS)
local self, run, smallMs, twinMs, leaseMs = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local known = cjson.decode(ARGV[6])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local there, sent = {}, redis.call('ZRANGE', small, 0, -1, 'WITHSCORES')
for i = 1, #sent, 2 do
  local identity = string.match(sent[i], '^%d+|([^~]*)~')
  there[identity] = there[identity] or {}
  table.insert(there[identity], tonumber(sent[i + 1]))
end
for i, one in ipairs(known.small) do
  local weight, identity, contract, at = one[1], one[2], one[3], now - one[4]
  local isThere = false
  for _, other in ipairs(identity ~= '' and there[identity] or {}) do
    isThere = isThere or math.abs(other - at) < twinMs / 2
  end
  if not isThere then redis.call('ZADD', small, at, weight .. '|' .. identity .. '~' .. self .. ':told' .. i .. '|' .. contract) end
end
if #known.small > 0 then redis.call('PEXPIRE', small, smallMs) end
for _, place in ipairs(known.places) do redis.call('ZADD', open, now + leaseMs, place) end
if #known.places > 0 then redis.call('PEXPIRE', open, leaseMs) end
local function atLeast(key, ms)
  if ms > math.max(0, redis.call('PTTL', key)) then redis.call('SET', key, '1', 'PX', math.ceil(ms)) end
end
for i, ms in ipairs(known.holds) do atLeast(KEYS[3 + i], ms) end
for i, ms in ipairs(known.twins) do atLeast(KEYS[5 + i], ms) end
local birth = redis.call('GET', born)
if birth and string.match(birth, '^(.*):%d+$') == run then return birth end
birth = string.format('%s:%.0f', run, now)
redis.call('SET', born, birth)
return birth
`
