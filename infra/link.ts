/**
 * Links a secret under the environment name that the code reads, encrypted at Cloudflare (a `secret_text` binding).
 * SST's own link would arrive as JSON under another name, and `environment` would show the value in plain text.
 */
export function linkSecret(environmentName: string, secret: sst.Secret): sst.Linkable<Record<string, never>> {
  return new sst.Linkable(environmentName, {
    properties: {},
    include: [sst.cloudflare.binding({ type: 'secretTextBindings', properties: { text: secret.value } })],
  })
}
