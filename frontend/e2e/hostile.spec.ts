import { settled } from './settled';
import { Clones, expect, serve, test, type Waypost } from './waypost';

// What a stranger could write into a catalog file to have a reader's browser run
// it, call home or lie about where a link leads.
const attacks = `"><img src=x onerror="window.__harmed=1"><script>window.__harmed=1</script><svg onload="window.__harmed=1">`;
const yaml = JSON.stringify; // a JSON text is a YAML one

/** The same where Markdown is read. */
const words = `**Told** ${attacks} [click](javascript:window.__harmed=1) ![x](https://tracker.example/pixel.gif)
<style>body{display:none}</style><iframe src="https://tracker.example"></iframe>`;

const component = `apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: trap
  title: ${yaml(`Trap ${attacks}`)}
  description: ${yaml(`${attacks} [click](javascript:window.__harmed=1) ![x](https://tracker.example/pixel.gif)`)}
  tags: [trap]
  annotations:
    backstage.io/view-url: "javascript:window.__harmed=1"
    backstage.io/edit-url: "data:text/html,<script>window.__harmed=1</script>"
    example.com/note: ${yaml(attacks)}
  links:
    - {url: "javascript:window.__harmed=1", title: ${yaml(attacks)}}
    - {url: " java\\nscript:window.__harmed=1", title: sneaky}
    - {url: "https://fine.example/", title: fine}
spec:
  type: ${yaml('service')}
  lifecycle: production
  owner: nobody
  providesApis: [trap-api]
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: trap-api}
spec:
  type: openapi
  lifecycle: production
  owner: nobody
  definition: |
    openapi: 3.0.0
    info:
      title: ${yaml(attacks)}
      version: ${yaml(attacks)}
      description: ${yaml(`${attacks} [click](javascript:window.__harmed=1)`)}
      termsOfService: "javascript:window.__harmed=1"
      contact: {url: "javascript:window.__harmed=1"}
    servers: [{url: "javascript:window.__harmed=1"}]
    externalDocs: {url: "data:text/html,<script>1</script>"}
    paths:
      /x:
        get:
          summary: ${yaml(attacks)}
          description: ${yaml(words)}
          tags: [trapped]
          parameters: [{name: q, in: query, description: ${yaml(words)}, schema: {type: string, description: ${yaml(words)}}}]
          responses: {"200": {description: ${yaml(attacks)}, content: {"application/json": {schema: {$ref: "https://tracker.example/schema.json"}}}}}
    tags: [{name: trapped, description: ${yaml(words)}}]
    components: {schemas: {Told: {type: string, description: ${yaml(words)}}, Loop: {$ref: "#/components/schemas/Loop"}}}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: ${'very-long-name-'.repeat(4)}end
  title: ${yaml('An uncommonly long title without end '.repeat(30))}
  description: ${yaml('word'.repeat(500))}
spec: {type: ${yaml('x'.repeat(60))}, lifecycle: production, owner: nobody}
`;

const readme = `# Read me ${attacks}
<a href="javascript:window.__harmed=1">click</a> <iframe src="https://tracker.example"></iframe>
<style>body{display:none}</style><form action="https://tracker.example"><input name=a></form>
![pixel](https://tracker.example/pixel.gif) <img src="https://tracker.example/pixel2.gif" onerror="window.__harmed=1">
[fine](https://fine.example/)
`;

test.describe('what strangers write does no harm', () => {
  let clones: Clones;
  let server: Waypost;
  test.beforeAll(async () => {
    clones = new Clones();
    clones.commit('trap', { 'catalog-info.yaml': component, 'README.md': readme });
    server = await serve(['--dir', clones.path]);
  });
  test.afterAll(async () => {
    await server?.stop();
    clones?.remove();
  });

  for (const address of [
    '/catalog?kind=component',
    '/catalog?q=trap',
    '/search?q=trap',
    '/problems',
    '/catalog/default/component/trap',
    '/catalog/default/component/trap/dependencies',
    '/catalog/default/component/trap/history',
    '/catalog/default/component/trap/raw',
    '/catalog/default/component/trap/problems',
    '/catalog/default/component/trap/ownership',
    '/catalog/default/api/trap-api/definition',
    `/catalog/default/component/${'very-long-name-'.repeat(4)}end`,
  ])
    test(address, async ({ page }) => {
      const outside: string[] = [];
      page.on('request', (r) => {
        if (!r.url().startsWith(server.url) && !/^(data|blob):/.test(r.url())) outside.push(r.url());
      });
      await page.goto(server.url + address);
      await settled(page);
      for (const more of await page.getByRole('button', { name: /GET|show more|details/i }).all())
        if (await more.isVisible()) await more.click({ timeout: 1000 }).catch(() => {});
      expect(await page.evaluate(() => (window as { __harmed?: number }).__harmed)).toBeUndefined();
      expect(outside, 'nothing is asked of other hosts').toEqual([]);
      const bad = await page
        .locator('a[href]')
        .evaluateAll((links) =>
          links
            .map((a) => (a as HTMLAnchorElement).protocol)
            .filter((p) => !['http:', 'https:', 'mailto:'].includes(p)),
        );
      expect(bad, 'no link runs anything').toEqual([]);
      expect(await page.locator('main iframe, main form[action], main script, main style').count()).toBe(0);
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth),
      ).toBe(true);
    });

  test('the words of a definition are Markdown', async ({ page }) => {
    await page.goto(`${server.url}/catalog/default/api/trap-api/definition`);
    await settled(page);
    await page.getByRole('button', { name: /GET/ }).click();
    // Of the tag, the operation, its parameter and the schema.
    await expect(page.locator('main strong', { hasText: 'Told' })).toHaveCount(4);
  });
});
