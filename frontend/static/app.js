// The page: kinds with counts, and the entities that match the words typed.
const $ = (id) => document.getElementById(id);
const state = { kind: "", query: "", token: "" };
let latest = 0; // number of the newest request; answers to older ones are dropped

async function get(path, params) {
  const url = new URL(path, location.origin);
  for (const [key, value] of Object.entries(params)) if (value) url.searchParams.append(key, value);
  const response = await fetch(url);
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.message || body.detail || `the server answered ${response.status}`);
  return body;
}

// Text from the catalog only ever becomes text nodes.
function element(tag, properties, ...children) {
  const e = Object.assign(document.createElement(tag), properties);
  e.append(...children);
  return e;
}

const shortRef = (ref) => ref.replace(/^(group|user):/, "").replace(/^default\//, "");
const target = (entity, type) => (entity.relations || []).filter((r) => r.type === type).map((r) => shortRef(r.targetRef)).join(", ");

function row(entity) {
  const { metadata = {}, spec = {}, origin = {} } = entity;
  const owner = target(entity, "ownedBy");
  const facts = [entity.kind, spec.type, spec.lifecycle, owner && `owned by ${owner}`, origin.inferred && "inferred",
    metadata.namespace !== "default" && metadata.namespace].filter(Boolean);
  const link = element("a", { href: `/v1/${entity.name}` }, metadata.title || spec.profile?.displayName || metadata.name);
  const item = element("li", {}, element("p", {}, link), element("p", { className: "facts" }, facts.join(" · ")));
  if (metadata.description) item.append(element("p", {}, metadata.description));
  return item;
}

async function list(more) {
  const request = ++latest;
  const filter = state.kind && `entity.kind == ${JSON.stringify(state.kind)}`;
  const common = { filter, page_size: "50", page_token: more ? state.token : "" };
  try {
    const answer = state.query
      ? await get("/v1/entities:search", { ...common, query: state.query })
      : await get("/v1/entities", { ...common, order_by: "metadata.name" });
    if (request !== latest) return;
    const entities = answer.entities || (answer.results || []).map((r) => r.entity);
    $("entities").replaceChildren(...(more ? $("entities").children : []), ...entities.map(row));
    state.token = answer.nextPageToken || "";
    $("more").hidden = !state.token;
    const total = answer.totalSize || 0;
    say(total === 1 ? "1 entity" : total ? `${total.toLocaleString()} entities` : state.query || state.kind ? "Nothing matches; try fewer or shorter words." : "");
    $("empty").hidden = total > 0 || Boolean(state.query || state.kind);
  } catch (err) {
    if (request === latest) say(`The catalog cannot be read: ${err.message}`, true);
  }
}

function say(text, bad = false) {
  $("status").textContent = text;
  $("status").className = bad ? "error" : "";
}

async function kinds() {
  const [facets, problems] = await Promise.all([
    get("/v1/entities:facets", { fields: "kind" }), get("/v1/problems", { page_size: "1" })]);
  const chip = (kind, label, count) => {
    const button = element("button", { type: "button" }, label, element("b", {}, count.toLocaleString()));
    button.setAttribute("aria-pressed", String(state.kind === kind));
    button.addEventListener("click", () => {
      state.kind = kind;
      for (const b of $("kinds").querySelectorAll("button")) b.setAttribute("aria-pressed", String(b === button));
      list(false);
    });
    return button;
  };
  const chips = (facets.facets?.[0]?.values || []).map((v) => chip(v.value, v.value, v.count));
  if (chips.length) chips.unshift(chip("", "All", facets.totalSize || 0));
  const wrong = problems.totalSize || 0;
  if (wrong) chips.push(element("a", { href: "/v1/problems", className: "problems" }, "Problems", element("b", {}, wrong.toLocaleString())));
  $("kinds").replaceChildren(...chips);
}

let timer;
$("query").addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(() => { state.query = $("query").value.trim(); list(false); }, 120);
});
$("more").addEventListener("click", () => list(true));

// What is on the page stays until the catalog changes.
let revision;
async function refresh() {
  if (document.hidden) return;
  const now = await get("/v1/entities", { page_size: "1", read_mask: "name" });
  if (now.revision === revision) return;
  revision = now.revision;
  await Promise.all([list(false), kinds()]);
}
const tick = () => refresh().catch((err) => say(`The catalog cannot be read: ${err.message}`, true));
tick();
setInterval(tick, 5000);
