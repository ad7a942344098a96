// Runs @gitbeaker/rest against the server that the environment names.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const { Gitlab } = createRequire(join(process.env.GITBEAKER, 'package.json'))('@gitbeaker/rest');
const api = new Gitlab({ host: process.env.GITLAB_HOST, token: process.env.GITLAB_TOKEN });
const scopes = ['read_package_registry', 'write_package_registry'];

const me = await api.Users.showCurrentUser();
assert.equal(me.username, 'olga');
const project = await api.Projects.show('acme/platform/deep.js');
assert.equal(project.path_with_namespace, 'acme/platform/deep.js');

for (const holder of [{ projectId: 'acme/platform/deep.js' }, { projectId: project.id }, { groupId: 'acme/platform' }]) {
  const before = (await api.DeployTokens.all(holder)).length;
  const made = await api.DeployTokens.create('ci', scopes, { ...holder, expires_at: '2027-01-31' });
  assert.match(made.token, /^gldt-/);
  assert.deepEqual(made.scopes, scopes);
  assert.equal(made.expires_at, '2027-01-31T00:00:00.000Z');
  await api.DeployTokens.create('more', scopes, holder);
  await api.DeployTokens.create('more', scopes, holder);

  const shown = await api.DeployTokens.show(made.id, holder);
  assert.equal(shown.token, undefined);
  assert.equal(shown.username, `gitlab+deploy-token-${made.id}`);
  // Two to a page: the client follows the Link header.
  const listed = await api.DeployTokens.all({ ...holder, perPage: 2 });
  assert.equal(listed.length, before + 3);

  await api.DeployTokens.remove(made.id, holder);
  await assert.rejects(api.DeployTokens.show(made.id, holder), (err) => err.cause.response.status === 404);
}
