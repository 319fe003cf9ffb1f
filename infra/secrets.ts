/**
 * Every secret of a stage, listed once. A person sets the values, for each stage: `npx sst secret set BridgeKey`.
 * BridgeUrl is among them because it differs by stage too, and nobody else needs to know where the bridge is.
 */
export const secrets = {
  bridgeUrl: new sst.Secret('BridgeUrl'),
  bridgeKey: new sst.Secret('BridgeKey'),
  /** Several bridges, in the place of the two above (docs/bridges.md); none unless it is set. */
  bridges: new sst.Secret('BridgeList', '[]'),
  tidegateKey: new sst.Secret('TidegateKey'),
  databaseUrl: new sst.Secret('DatabaseUrl'),
}
