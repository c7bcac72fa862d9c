// Holds the OpenAPI document against a live droverd: every route is in it and nothing else; every answer has a
// status, a type and a shape that it names, and no field that it doesn't; every operation was called with success.
import { createRequire } from 'node:module';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const require = createRequire(process.env.NPM_PACKAGES + '/');
const Ajv = require('ajv/dist/2020').default;
const addFormats = require('ajv-formats');
const { Validator } = await import(require.resolve('@seriousme/openapi-schema-validator'));

const [base, dir] = process.argv.slice(2);
let checks = 0;
let failed = 0;
function is(what, got, expected) {
	checks++;
	if (JSON.stringify(got) !== JSON.stringify(expected)) {
		failed++;
		console.log(`FAIL: ${what}: got ${JSON.stringify(got)}, expected ${JSON.stringify(expected)}`);
	}
}

const text = await (await fetch(base + '/v1/openapi.json')).text();
const doc = JSON.parse(text);
const verdict = await new Validator().validate(JSON.parse(text));
is('the document is valid OpenAPI', [verdict.valid, verdict.errors ?? null], [true, null]);
is('its version', doc.openapi.slice(0, 3), '3.1');

// ---- routes ----
const routes = readFileSync(dir + '/routes', 'utf8').trim().split('\n').map((line) => line.split(' '));
const documented = new Set();
for (const [path, item] of Object.entries(doc.paths))
	for (const method of Object.keys(item)) documented.add(method.toUpperCase() + ' ' + path);
const offered = new Map(routes.map(([method, path, access]) => [method + ' ' + path.replace('...}', '}'), access]));
is('routes that are not documented', [...offered.keys()].filter((r) => !documented.has(r)), []);
is('documented routes that are not there', [...documented].filter((r) => !offered.has(r)), []);
for (const [route, access] of offered) {
	const [method, path] = route.split(' ');
	const operation = doc.paths[path]?.[method.toLowerCase()];
	if (operation) is(`${route}: needs a token`, !operation.security, access !== 'any');
}
const ids = Object.values(doc.paths).flatMap((item) => Object.values(item).map((o) => o.operationId));
is('operation ids are unique', ids.length, new Set(ids).size);

// ---- schemas; an object that lists its fields has no others ----
function close(schema) {
	if (Array.isArray(schema)) return schema.map(close);
	if (!schema || typeof schema !== 'object') return schema;
	const out = Object.fromEntries(Object.entries(schema).map(([k, v]) => [k, close(v)]));
	if (out.properties && out.additionalProperties === undefined && typeof out.type !== 'undefined')
		out.additionalProperties = false;
	return out;
}
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema({ $id: 'doc', components: close(doc.components) });
const compiled = new Map();
function validator(schema) {
	const key = JSON.stringify(schema).replaceAll('"#/', '"doc#/');
	if (!compiled.has(key)) compiled.set(key, ajv.compile(close(JSON.parse(key))));
	return compiled.get(key);
}
function resolve(node) {
	return node?.$ref ? node.$ref.slice(2).split('/').reduce((o, k) => o[k], doc) : node;
}
function find(path) {
	const plain = path.split('?')[0].split('/');
	const fits = Object.keys(doc.paths).filter((t) => {
		const parts = t.split('/');
		return parts.length === plain.length && parts.every((p, i) => p.startsWith('{') || p === plain[i]);
	});
	return fits.sort((a, b) => a.split('{').length - b.split('{').length)[0];
}

const succeeded = new Set();
/** Calls a route and holds what comes back, and what was sent, against the document. */
async function call(method, path, body, expected, headers = {}, signal = undefined) {
	const template = find(path);
	const operation = doc.paths[template]?.[method.toLowerCase()];
	const what = `${method} ${path}`;
	is(`${what} is documented`, !!operation, true);
	if (!operation) return null;
	const json = body !== undefined && !(body instanceof Uint8Array);
	const schema = operation.requestBody?.content['application/json']?.schema;
	if (json && schema && expected < 300) {
		const check = validator(schema);
		is(`${what}: request`, check(body) ? null : check.errors.map((e) => e.instancePath + ' ' + e.message), null);
	}
	const answer = await fetch(base + path, {
		method,
		signal,
		headers: { ...(json ? { 'Content-Type': 'application/json' } : {}), ...headers },
		body: body === undefined ? undefined : json ? JSON.stringify(body) : body,
	});
	is(what, answer.status, expected);
	const response = resolve(operation.responses[answer.status]);
	is(`${what}: status ${answer.status} is documented`, !!response, true);
	if (answer.status < 300) succeeded.add(method + ' ' + template);
	if (!response) return answer;
	const type = (answer.headers.get('content-type') ?? '').split(';')[0];
	const content = response.content ?? {};
	if (signal) return answer;
	const data = await answer.text();
	if (!Object.keys(content).length) {
		is(`${what}: no body`, data, '');
		return { answer, data };
	}
	is(`${what}: type ${type}`, type in content || '*/*' in content, true);
	for (const name of Object.keys(response.headers ?? {}))
		if (name !== 'Location') is(`${what}: header ${name}`, answer.headers.has(name), true);
	if (!type.endsWith('json')) return { answer, data };
	const value = JSON.parse(data);
	const check = validator(content[type].schema);
	is(`${what}: answer`, check(value) ? null : check.errors.slice(0, 6).map((e) => `${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`), null);
	return { answer, data, value };
}

// ---- a small cluster's life ----
const bundle = readFileSync(dir + '/bundle');
const sha = createHash('sha256').update(bundle).digest('hex');
const binary = new Uint8Array(bundle);
await call('GET', '/', undefined, 200);
await call('GET', '/ui/index.html', undefined, 200);
await call('GET', '/ui/none.js', undefined, 404);
await call('GET', '/healthz', undefined, 200);
await call('GET', '/v1/whoami', undefined, 200);
const self = await call('GET', '/v1/openapi.json', undefined, 200);
await call('GET', '/v1/openapi.json', undefined, 304, { 'If-None-Match': self.answer.headers.get('etag') });
await call('PUT', `/v1/bundles/${sha}`, binary, 201);
await call('PUT', `/v1/bundles/${sha}`, binary, 200);
await call('PUT', `/v1/bundles/${'0'.repeat(64)}`, binary, 422);
await call('PUT', '/v1/bundles/short', binary, 400);
await call('GET', '/v1/bundles', undefined, 200);
await call('GET', `/v1/bundles/${sha}`, undefined, 200);
await call('GET', `/v1/bundles/${sha}`, undefined, 206, { Range: 'bytes=0-3' });
await call('GET', `/v1/bundles/${sha}`, undefined, 416, { Range: 'bytes=99999999-' });
await call('GET', `/v1/bundles/${'0'.repeat(64)}`, undefined, 404);
await call('GET', `/v1/bundles/${sha}/info`, undefined, 200);

const intro = (name, isa) => ({ version: 1, instance: 'i-' + name, isa, cpus: 8, memory_bytes: 1e10, idle_w: 20, core_w: 4,
	profile: 'x', address: '127.0.0.1', software: '0', meters: [{ name: 'm', source: 'model', scope: 'node', kind: 'modelled' }] });
await call('GET', '/v1/agents/x86-1/desired?instance=i-x86-1&wait_ms=0', undefined, 404);
await call('PUT', '/v1/agents/x86-1', intro('x86-1', 'x86_64'), 200);
await call('PUT', '/v1/agents/x86-1', { ...intro('x86-1', 'x86_64'), instance: 'other' }, 409);
await call('PUT', '/v1/agents/x86-1', { version: 1 }, 400);
const problem = await call('POST', '/v1/jobs', { bundle: sha, cpus: 0, args: 'x', nonsense: 1, isas: [], user: '-' }, 400);
is('all wrong fields are named', problem.value.errors.map((e) => e.field).sort(), ['args', 'cpus', 'isas', 'nonsense', 'user']);
const bulk = await call('POST', '/v1/jobs', { jobs: [{ bundle: sha }, { bundle: sha, cpus: 'x' }, { name: 'y' }] }, 400);
is('also in bulk', bulk.value.errors.map((e) => e.field).sort(), ['jobs[1].cpus', 'jobs[2].bundle']);
await call('POST', '/v1/jobs', { bundle: '0'.repeat(64) }, 422);
const key = { 'Idempotency-Key': 'k1' };
const spec = { bundle: sha, name: 'one', user: 'ann', args: ['--class', 'S'], env: { A: 'b' }, stdin: 'in', cpus: 1,
	memory_bytes: 1e6, isas: ['x86_64', 'aarch64'], time_limit_s: 600, max_restarts: 2, priority: 3 };
const one = await call('POST', '/v1/jobs', spec, 201, key);
const id = one.value.id;
is('the same key gives the same job', (await call('POST', '/v1/jobs', spec, 201, key)).value.id, id);
await call('POST', '/v1/jobs', { ...spec, name: 'two' }, 422, key);
const many = await call('POST', '/v1/jobs', { jobs: [{ bundle: sha, name: 'a' }, { bundle: sha, name: 'b' }, { bundle: sha, name: 'c' }] }, 201, { 'Idempotency-Key': 'k2' });
const again = await call('POST', '/v1/jobs', { jobs: [{ bundle: sha, name: 'a' }, { bundle: sha, name: 'b' }, { bundle: sha, name: 'c' }] }, 201, { 'Idempotency-Key': 'k2' });
is('a bulk under its key', again.value.jobs.map((j) => j.id), many.value.jobs.map((j) => j.id));
await call('GET', '/v1/agents/x86-1/desired?instance=stranger&wait_ms=0', undefined, 409);

async function desired(node) {
	return (await call('GET', `/v1/agents/${node}/desired?instance=i-${node}&revision=0&wait_ms=0`, undefined, 200)).value;
}
async function until(what, fn) {
	for (let n = 0; n < 200; n++) {
		const value = await fn();
		if (value) return value;
		await new Promise((wake) => setTimeout(wake, 25));
	}
	is(what, 'did not come', 'came');
	return null;
}
async function report(node, jobs, energy = []) {
	const { revision } = await desired(node);
	return call('POST', `/v1/agents/${node}/report`, { version: 1, instance: 'i-' + node, seq: 7, revision,
		load: { cpu_percent: 50, memory_used_bytes: 1e9, running: jobs.length }, jobs, energy }, 200);
}
const entry = (attempt, epoch, state, more = {}) => ({ id, attempt, epoch, state, cpu_us: 1000, log_bytes: 0, ...more });
await until('the job is placed', async () => (await call('GET', `/v1/jobs/${id}`, undefined, 200)).value.state === 'RUNNING');
const now = Date.now();
await report('x86-1', [entry(1, 1, 'running')], [{ meter: 'm', source: 'model', scope: 'node', kind: 'modelled', from_ms: now - 2000, to_ms: now - 1000,
	energy_uj: 100, idle_uj: 60, system_uj: 10, gap_ms: 0, jobs: { [`${id}.1`]: 30 } }]);
await call('POST', '/v1/agents/x86-1/report', { version: 1, instance: 'i-x86-1', jobs: 5 }, 400);
const enc = new TextEncoder();
await call('POST', `/v1/agents/x86-1/jobs/${id}/log?attempt=1&offset=0`, enc.encode('hello world'), 200);
await call('POST', `/v1/agents/x86-1/jobs/${id}/log?attempt=1&offset=99`, enc.encode('x'), 409);
await call('POST', `/v1/agents/x86-1/jobs/999/log?attempt=1&offset=0`, enc.encode('x'), 404);
is('output', (await call('GET', `/v1/jobs/${id}/log`, undefined, 200)).data, 'hello world');
is('a part of it', (await call('GET', `/v1/jobs/${id}/log`, undefined, 206, { Range: 'bytes=6-' })).data, 'world');
is('behind an offset', (await call('GET', `/v1/jobs/${id}/log?offset=6`, undefined, 200)).data, 'world');
await call('GET', `/v1/jobs/${id}/log`, undefined, 416, { Range: 'bytes=50-' });
await call('GET', '/v1/jobs/999/log', undefined, 404);
await call('GET', `/v1/jobs/${id}/log?offset=x`, undefined, 400);

await call('PUT', '/v1/agents/arm-1', intro('arm-1', 'aarch64'), 200);
await call('POST', `/v1/jobs/${id}/migrate`, { node: 'nowhere' }, 404);
await call('POST', '/v1/jobs/999/migrate', {}, 404);
await call('POST', `/v1/jobs/${id}/migrate`, { nodes: 1 }, 400);
const move = await call('POST', `/v1/jobs/${id}/migrate`, { node: 'arm-1', reason: 'test' }, 202);
await call('POST', `/v1/jobs/${id}/migrate`, { node: 'arm-1' }, 409);
await call('GET', `/v1/migrations/${move.value.id}`, undefined, 200);
await call('GET', '/v1/migrations/m999', undefined, 404);
await call('GET', `/v1/migrations?job=${id}&limit=1`, undefined, 200);
await call('GET', '/v1/migrations?job=x', undefined, 400);

for (const query of ['', '?limit=2', '?state=PENDING,RUNNING&order=newest', '?user=ann', '?name=one', '?node=x86-1', '?isa=x86_64', '?array=5',
	'?q=on', '?since_ms=5&until_ms=9999999999999', '?count=1', '?user=ann&count=1'])
	await call('GET', '/v1/jobs' + query, undefined, 200);
const first = await call('GET', '/v1/jobs?limit=2', undefined, 200);
const second = await call('GET', `/v1/jobs?limit=2&cursor=${first.value.next}`, undefined, 200);
is('pages follow each other', [...first.value.jobs, ...second.value.jobs].map((j) => j.name), ['one', 'a', 'b', 'c']);
for (const bad of ['state=X', 'limit=5000', 'isa=mips', 'cursor=zzz', 'order=up', 'array=x', 'since_ms=-1'])
	await call('GET', '/v1/jobs?' + bad, undefined, 400);
const listed = await call('GET', '/v1/jobs?name=c', undefined, 200);
await call('GET', '/v1/jobs?name=c', undefined, 304, { 'If-None-Match': listed.answer.headers.get('etag') });
await call('GET', '/v1/jobs/999', undefined, 404);
await call('DELETE', `/v1/jobs/${many.value.jobs[2].id}`, undefined, 202);
await call('DELETE', '/v1/jobs/999', undefined, 404);

const nodes = await call('GET', '/v1/nodes?limit=1', undefined, 200);
is('nodes by name', nodes.value.nodes.map((n) => n.name), ['arm-1']);
is('and the next', (await call('GET', `/v1/nodes?cursor=${nodes.value.next}`, undefined, 200)).value.nodes.map((n) => n.name), ['x86-1']);
await call('GET', '/v1/nodes/x86-1', undefined, 200);
await call('GET', '/v1/nodes/none', undefined, 404);
await call('GET', '/v1/nodes/x86-1/meters', undefined, 200);
await call('GET', '/v1/energy', undefined, 200);
await call('GET', '/v1/energy?from_ms=x', undefined, 400);
for (const by of ['node', 'job', 'isa', 'user', 'zone'])
	await call('GET', `/v1/energy/series?by=${by}&points=10${by === 'zone' ? '&key=x86-1' : ''}`, undefined, 200);
await call('GET', '/v1/energy/series?by=moon', undefined, 400);
await call('GET', `/v1/jobs/${id}/energy`, undefined, 200);
await call('GET', '/v1/jobs/999/energy', undefined, 404);

const policy = await call('GET', '/v1/policy', undefined, 200);
const tag = policy.answer.headers.get('etag');
await call('PUT', '/v1/policy', { name: policy.value.name, options: { cooldown_ms: 5 } }, 200, { 'If-Match': tag });
await call('PUT', '/v1/policy', { name: policy.value.name }, 412, { 'If-Match': tag });
await call('PUT', '/v1/policy', { name: 'worst' }, 400);

// ---- what an operator does ----
const held = await call('POST', '/v1/jobs', { bundle: sha, name: 'held', hold: true }, 201);
const waiting = await call('GET', `/v1/jobs/${held.value.id}`, undefined, 200);
is('a held job waits', [waiting.value.state, waiting.value.reason_code], ['PENDING', 'JobHeldUser']);
const patch = { 'If-Match': waiting.answer.headers.get('etag') };
await call('PATCH', `/v1/jobs/${held.value.id}`, { priority: 7 }, 200, patch);
await call('PATCH', `/v1/jobs/${held.value.id}`, { priority: 8 }, 412, patch);
await call('PATCH', `/v1/jobs/${held.value.id}`, { priority: 'x' }, 400);
await call('PATCH', '/v1/jobs/999', { hold: false }, 404);
const after = await call('POST', '/v1/jobs', { bundle: sha, dependencies: [{ type: 'afterok', job: held.value.id }] }, 201);
is('a dependency', (await call('GET', `/v1/jobs/${after.value.id}`, undefined, 200)).value.dependencies.length, 1);
const array = await call('POST', '/v1/jobs', { bundle: sha, name: 'many', array: '0-4:2%1', hold: true }, 201, { 'Idempotency-Key': 'k3' });
is('an array', [array.value.count, array.value.jobs.length], [3, 3]);
is('under its key', (await call('POST', '/v1/jobs', { bundle: sha, name: 'many', array: '0-4:2%1', hold: true }, 201, { 'Idempotency-Key': 'k3' })).value, array.value);
is('its elements', (await call('GET', `/v1/jobs?array=${array.value.array}`, undefined, 200)).value.jobs.map((j) => j.array.index), [0, 2, 4]);
await call('DELETE', `/v1/jobs?array=${array.value.array}`, undefined, 202);
await call('DELETE', '/v1/jobs?array=999', undefined, 404);
await call('DELETE', '/v1/jobs', undefined, 400);
const other = many.value.jobs[1].id;
await until('another job runs', async () => (await call('GET', `/v1/jobs/${other}`, undefined, 200)).value.state === 'RUNNING');
await call('POST', `/v1/jobs/${other}/requeue`, {}, 202);
await call('POST', '/v1/jobs/999/requeue', {}, 404);
await call('GET', `/v1/jobs/${id}/history`, undefined, 200);
await call('GET', '/v1/jobs/999/history', undefined, 404);
for (const action of ['cordon', 'uncordon', 'drain', 'resume'])
	await call('PATCH', '/v1/nodes/arm-1', { action, reason: 'test' }, 200);
await call('PATCH', '/v1/nodes/arm-1', { action: 'sleep' }, 409);
const nodeTag = { 'If-Match': `"${(await call('GET', '/v1/nodes/arm-1', undefined, 200)).value.state_tag}"` };
await call('PATCH', '/v1/nodes/arm-1', { action: 'cordon', reason: 'once' }, 200, nodeTag);
await call('PATCH', '/v1/nodes/arm-1', { action: 'uncordon', reason: 'late' }, 412, nodeTag);
is('what was refused was not done', (await call('PATCH', '/v1/nodes/arm-1', { action: 'uncordon' }, 200)).value.cordoned, false);
await call('PATCH', '/v1/nodes/arm-1', { action: 'dance' }, 400);
await call('PATCH', '/v1/nodes/none', { action: 'drain' }, 404);
await call('GET', '/v1/nodes/arm-1/history', undefined, 200);
await call('GET', '/v1/nodes/none/history', undefined, 404);
await call('GET', '/v1/models', undefined, 200);
await call('GET', '/v1/policies', undefined, 200);
const cap = await call('GET', '/v1/power-cap', undefined, 200);
await call('PUT', '/v1/power-cap', { cap_w: 500.5 }, 200);
await call('PUT', '/v1/power-cap', { cap_w: 400 }, 412, { 'If-Match': cap.answer.headers.get('etag') });
await call('PUT', '/v1/power-cap', { cap_w: -1 }, 400);
await call('PUT', '/v1/power-cap', { cap_w: null }, 200);

// ---- savings ----
const base0 = await call('GET', '/v1/savings/baseline', undefined, 200);
is('the baseline until one is chosen', [base0.value.policy, base0.value.cluster, base0.value.default], ['static-x86', [{ profile: 'xeon-e5-1650-v2', count: 2 }], true]);
/* Until a moment that is over: until now means until the last reading, which came before the first job. */
const saving = (await call('GET', `/v1/savings?to_ms=${Date.now() - 1}`, undefined, 200)).value;
is('saved is withheld where nodes were not read', [saving.saved, saving.gap_share > 0.01, typeof saving.withheld], [null, true, 'string']);
is('the series ends in the totals', [1, 2].map((i) => Math.abs(saving.series.at(-1)[i] - [saving.live, saving.shadow][i - 1].energy_j) < 1e-3), [true, true]);
await call('GET', `/v1/savings?from_ms=${saving.from_ms}&to_ms=${saving.to_ms}`, undefined, 200);
await call('GET', '/v1/savings?from_ms=5&to_ms=4', undefined, 400);
await call('GET', '/v1/savings?from_ms=x', undefined, 400);
await call('PUT', '/v1/savings/baseline', { policy: 'balance', cluster: [{ profile: 'x-gene-1', count: 3 }] }, 200);
await call('PUT', '/v1/savings/baseline', { default: true }, 412, { 'If-Match': base0.answer.headers.get('etag') });
await call('PUT', '/v1/savings/baseline', { policy: 'best', cluster: [] }, 400);
await call('PUT', '/v1/savings/baseline', { policy: 'balance', cluster: [{ profile: '../x', count: 3 }] }, 400);
is('another baseline', (await call('GET', '/v1/savings', undefined, 200)).value.baseline.cluster, [{ profile: 'x-gene-1', count: 3 }]);
is('the default again', (await call('PUT', '/v1/savings/baseline', { default: true }, 200)).value.default, true);

// ---- replays ----
const traceText = enc.encode('; SWF\n1 0 -1 10 1 -1 -1 1 -1 -1 1 1 1 1 1 -1 -1 -1\n2 5 -1 20 1 -1 -1 1 -1 -1 1 1 1 1 1 -1 -1 -1\n');
const traceSha = createHash('sha256').update(traceText).digest('hex');
is('an uploaded trace', (await call('PUT', `/v1/traces/${traceSha}`, traceText, 201)).value.jobs, 2);
await call('PUT', `/v1/traces/${traceSha}`, enc.encode('other'), 422);
const broken = enc.encode('1 x\n');
await call('PUT', `/v1/traces/${createHash('sha256').update(broken).digest('hex')}`, broken, 422);
await call('PUT', '/v1/traces/short', traceText, 400);
is('traces', (await call('GET', '/v1/traces', undefined, 200)).value.traces.map((t) => t.sha256), [null, null, traceSha]);
const replay = await call('POST', '/v1/replays', { trace: { upload: traceSha }, cluster: 'two-xeon', policies: ['balance', 'energy'], baseline: 'static-x86@two-xeon' }, 202);
const rid = replay.value.id;
await until('the replay ends', async () => (await call('GET', `/v1/replays/${rid}`, undefined, 200)).value.state === 'DONE');
const done = (await call('GET', `/v1/replays/${rid}`, undefined, 200)).value;
is('its results', done.results.map((r) => [r.policy, r.jobs_done]), [['static-x86@two-xeon', 2], ['balance', 2], ['energy', 2]]);
for (const r of done.results) is(`${r.policy}: its energy adds up`, Math.abs(r.idle_j + r.jobs_j + r.moves_j + r.sleep_j - r.energy_j) < r.energy_j / 1000, true);
is('replays', (await call('GET', '/v1/replays', undefined, 200)).value.replays.map((r) => r.id), [rid]);
is('points', (await call('GET', `/v1/replays/${rid}/series?policy=balance&points=3`, undefined, 200)).value.points.length <= 3, true);
await call('GET', `/v1/replays/${rid}/series?policy=balance&points=x`, undefined, 400);
await call('GET', `/v1/replays/${rid}/waits?policy=energy`, undefined, 200);
is('lines of CSV', (await call('GET', `/v1/replays/${rid}/csv?policy=energy&table=jobs`, undefined, 200)).data.trim().split('\n').length, 3);
await call('GET', `/v1/replays/${rid}/csv?policy=energy&table=moon`, undefined, 400);
await call('GET', `/v1/replays/${rid}/csv?policy=other&table=jobs`, undefined, 404);
await call('GET', '/v1/replays/r999', undefined, 404);
await call('DELETE', '/v1/replays/r999', undefined, 404);
await call('POST', '/v1/replays', { trace: { name: 'moon' }, cluster: 'two-xeon', policies: ['worst'] }, 400);
await call('POST', '/v1/replays', { trace: { upload: '0'.repeat(64) }, cluster: 'two-xeon', policies: ['energy'] }, 422);
await call('POST', '/v1/replays', { trace: { inline: '1 2' }, cluster: 'two-xeon', policies: ['energy'] }, 400);
await call('DELETE', `/v1/replays/${rid}`, undefined, 204);

// ---- events ----
const stop = new AbortController();
const stream = await call('GET', '/v1/events', undefined, 200, { 'Last-Event-ID': '1' }, stop.signal);
const reader = stream.body.getReader();
const decoder = new TextDecoder();
let seen = '';
while (!/event: policy/.test(seen)) {
	const { value, done } = await reader.read();
	if (done) break;
	seen += decoder.decode(value);
}
stop.abort();
is('an unknown id is a gap', /event: gap/.test(seen), true);
const kinds = { job: 'Job', node: 'Node', migration: 'Migration', policy: 'Policy' };
for (const block of seen.split('\n\n').slice(0, -1)) {
	const type = /^event: (.*)$/m.exec(block)?.[1];
	const data = /^data: (.*)$/m.exec(block)?.[1];
	if (!kinds[type]) continue;
	const schema = structuredClone(doc.components.schemas[kinds[type]]);
	// What is only in the store is not in events.
	schema.required = schema.required.filter((f) => !f.startsWith('energy_'));
	const check = validator(schema);
	is(`event ${type}`, check(JSON.parse(data)) ? null : check.errors.map((e) => e.instancePath + ' ' + e.message), null);
}

// ---- metrics: the text format, base units, no label per job or user ----
const metrics = (await call('GET', '/metrics', undefined, 200)).data;
is('it ends with a newline', metrics.endsWith('\n'), true);
const families = new Map();
const samples = new Set();
for (const line of metrics.trimEnd().split('\n')) {
	let m;
	if ((m = /^# HELP ([a-z_:][a-z0-9_:]*) (\S.*)$/.exec(line))) {
		is(`${m[1]} is described once`, families.has(m[1]), false);
		families.set(m[1], { help: true });
	} else if ((m = /^# TYPE ([a-z_:][a-z0-9_:]*) (counter|gauge|histogram|summary)$/.exec(line))) {
		is(`${m[1]} has its help first`, !!families.get(m[1]) && !families.get(m[1]).type, true);
		families.set(m[1], { type: m[2] });
	} else if ((m = /^([a-z_:][a-z0-9_:]*)(\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)*\})? (-?[0-9.e+-]+|NaN|[+-]Inf)$/.exec(line))) {
		is(`${m[1]} has a type`, !!families.get(m[1])?.type, true);
		is(`${m[1]}${m[2] ?? ''} once`, samples.has(m[1] + m[2]), false);
		samples.add(m[1] + m[2]);
		is(`${m[1]}: no label per job or user`, /\b(job|user|job_id|id)="/.test(m[2] ?? ''), false);
	} else is('a line of metrics', line, 'HELP, TYPE or a sample');
}
for (const [name, { type }] of families) {
	is(`${name}: a counter ends in _total`, name.endsWith('_total'), type === 'counter');
	is(`${name}: base units`, /_(ms|us|kb|mb|mib|uj|kwh|milliseconds|percent)(_|$)/.test(name), false);
	is(`${name}: its prefix`, name.startsWith('drover_'), true);
}
is('operations that were not called with success', [...documented].filter((r) => !succeeded.has(r)), []);
console.log(`${checks} checks`);
process.exit(failed ? 1 : 0);
