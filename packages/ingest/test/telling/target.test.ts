import { checkTarget, isPublicAddress } from '@tidegate/ingest'
import { describe, expect, it } from 'vitest'

const REFUSED = { allowPrivate: false }

describe('where webhooks may go', () => {
  it.each([
    'https://example.com/hook?x=1',
    'http://example.com:8080/',
    'https://93.184.216.34/',
    'https://[2606:2800:220:1:248:1893:25c8:1946]/',
    'https://xn--mnchen-3ya.de/',
  ])('%s', (url) => {
    expect(checkTarget(url, REFUSED).href).toBe(new URL(url).href)
  })

  it.each([
    ['loopback', 'http://127.0.0.1/'],
    ['loopback, by another notation', 'http://2130706433/'],
    ['loopback, in hexadecimal and short', 'http://0x7f.1/'],
    ['loopback, in octal', 'http://0177.0.0.1/'],
    ['loopback, IPv6', 'http://[::1]/'],
    ['loopback, mapped', 'http://[::ffff:127.0.0.1]/'],
    ['any address', 'http://0.0.0.0/'],
    ['any address, IPv6', 'http://[::]/'],
    ['private', 'https://10.1.2.3/'],
    ['private', 'https://172.16.0.1/'],
    ['private', 'https://192.168.1.1:8443/x'],
    ['link-local: metadata', 'http://169.254.169.254/latest/meta-data/'],
    ['metadata of Azure', 'http://168.63.129.16/'],
    ['carrier-grade NAT: metadata of Alibaba', 'http://100.100.100.200/'],
    ['unique-local', 'http://[fd00:ec2::254]/'],
    ['link-local, IPv6', 'http://[fe80::1]/'],
    ['NAT64 of a private address', 'http://[64:ff9b::10.0.0.1]/'],
    ['6to4 of a private address', 'http://[2002:0a00:0001::]/'],
    ['IPv4 in IPv6, as it was written once', 'http://[::127.0.0.1]/'],
    ['IPv6 that nobody has been given', 'http://[4000::1]/'],
    ['broadcast', 'http://255.255.255.255/'],
    ['multicast', 'http://224.0.0.1/'],
    ['a name of this machine', 'http://localhost:8080/'],
    ['a name of this machine, with a dot', 'http://LOCALHOST./'],
    ['a name below it', 'http://a.localhost/'],
    ['a name without a dot', 'http://metadata/'],
    ['a name of a cloud', 'http://metadata.google.internal/'],
    ['a name of the house', 'http://nas.local/'],
  ])('not %s: %s', (_, url) => {
    expect(() => checkTarget(url, REFUSED)).toThrow(/TIDEGATE_WEBHOOKS_PRIVATE/)
    expect(checkTarget(url, { allowPrivate: true }).href).toBe(new URL(url).href)
  })

  it.each([
    'ftp://example.com/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'example.com',
    '',
    `https://example.com/${'x'.repeat(2048)}`,
    'https://user:secret@example.com/',
  ])('never %.40s', (url) => {
    for (const allowPrivate of [true, false]) {
      expect(() => checkTarget(url, { allowPrivate })).toThrow(expect.objectContaining({ kind: 'invalid' }))
      expect(() => checkTarget(url, { allowPrivate })).not.toThrow(/secret/)
    }
  })

  it('a name is no address', () => {
    expect(isPublicAddress('example.com')).toBe(false)
    expect(isPublicAddress('8.8.8.8')).toBe(true)
    expect(isPublicAddress('::ffff:8.8.8.8')).toBe(true)
    expect(isPublicAddress('::ffff:10.0.0.1')).toBe(false)
  })
})
