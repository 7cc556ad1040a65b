// The board: asks its own API every few seconds and shows what it says. It only reads.
import {chart} from "./chart.js";
import {funnels} from "./funnel.js";

const EVERY_MS = 5000, PER_PAGE = 50;
const TASK = ["dag_id", "run_id", "task_id", "map_index"];
const FILTERS = ["vendor", "status", "dag_id", "since", "until", "trouble_first"];
const find = id => document.getElementById(id);
const query = new URLSearchParams(location.search);
// Airflow leaves the placeholder of an index in the address where a task has none.
const task = Object.fromEntries(TASK.map(name => [name, query.get(name)]).filter(([name, value]) => value && !value.startsWith("{")));
if (task.map_index === "-1") delete task.map_index;
const ofRun = "run_id" in task;
let offset = 0;

const time = value => new Date(value).toLocaleString([], {dateStyle: "short", timeStyle: "short"});

function element(name, text, attributes = {}) {
  const node = document.createElement(name);
  if (text !== undefined && text !== null) node.textContent = text;
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

/** Airflow shows the page in a frame that may not leave itself, so its own window follows the link. */
function link(text, address, outside = false) {
  const node = element("a", text, {href: address, rel: "noopener noreferrer", target: outside ? "_blank" : "_top"});
  node.addEventListener("click", event => {
    if (window.parent === window || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const twin = window.parent.document.createElement("a");
    for (const {name, value} of node.attributes) twin.setAttribute(name, value);
    twin.href = node.href;
    if (!outside) twin.removeAttribute("target");
    window.parent.document.body.append(twin);
    twin.click();
    twin.remove();
  });
  return node;
}

const airflow = new URL("..", location.href).pathname.replace(/\/$/, "");

function taskAddress(one) {
  const parts = [one.dag_id, one.run_id, one.task_id].map(encodeURIComponent);
  const run = `${airflow}/dags/${parts[0]}/runs/${parts[1]}`;
  const at = `${run}/tasks/${parts[2]}`;
  return {run, task: one.map_index >= 0 ? `${at}/mapped/${one.map_index}` : at};
}

function cell(label, ...children) {
  const node = element("td", null, {"data-label": label});
  node.append(...children.filter(child => child !== null));
  return node;
}

function forecast(one) {
  if (one.stuck) return element("span", "not moving", {class: "bad"});
  if (!one.ends_at) return element("span", "");
  return element("time", time(one.ends_at), {datetime: one.ends_at});
}

function row(one) {
  const percent = one.progress === null ? "?" : `${Math.floor(one.progress)} %`;
  const bar = element("progress", percent, {max: 100, "aria-label": `Progress of ${one.name || one.id}`});
  if (one.progress !== null) bar.value = one.progress;
  const bad = one.stuck || ["failed", "canceled"].includes(one.status) || one.task_state === "failed";
  const counts = Object.entries(one.counts || {}).map(([name, number]) => `${name.replaceAll("_", " ")} ${number.toLocaleString()}`);
  const address = taskAddress(one);
  const place = one.map_index >= 0 ? `${one.task_id} [${one.map_index}]` : one.task_id;
  const name = one.url ? link(one.name || one.id, one.url, true) : element("span", one.name || one.id);
  const approved = one.approved_by ? element("small", `approved by ${one.approved_by.name || one.approved_by.id || one.approved_by}`) : null;
  const node = element("tr");
  node.append(
    cell("Campaign", name, element("small", `${one.vendor} · ${one.conn_id} · ${one.id}`)),
    cell("Status", element("span", one.status || "unknown", bad ? {class: "bad"} : {}), one.task_state ? element("small", `task: ${one.task_state}`) : null),
    cell("Progress", bar, ` ${percent}`),
    cell("Counts", counts.join(", ") || "–"),
    cell("Forecast", forecast(one), one.seen_at ? element("small", `seen ${time(one.seen_at)}`) : null),
    cell("Launched", element("time", one.meant_at ? time(one.meant_at) : "–"), approved),
    cell("Task", link(`${one.dag_id} / ${place}`, address.task), element("small"))
  );
  node.lastChild.lastChild.append(link(one.run_id, address.run));
  return node;
}

function totals(campaigns) {
  const sums = {};
  for (const one of campaigns) for (const name of ["sent", "delivered", "received", "failed"])
    if (one.counts && name in one.counts) sums[name] = (sums[name] || 0) + one.counts[name];
  return Object.entries(sums).map(([name, number]) => `${name} ${number.toLocaleString()}`).join(", ");
}

function charts(campaigns) {
  const shown = ofRun ? campaigns : [];
  const nodes = shown.flatMap(one => {
    const picture = chart(one, time);
    return picture ? [element("h2", one.name || one.id), picture] : [];
  });
  find("charts").replaceChildren(...nodes);
  find("stages").replaceChildren(...funnels(shown));
}

function show({campaigns, total}) {
  find("problem").hidden = true;
  // A link that has the focus keeps it.
  const focused = [...find("rows").querySelectorAll("a")].indexOf(document.activeElement);
  find("rows").replaceChildren(...campaigns.map(row));
  if (focused >= 0) find("rows").querySelectorAll("a")[focused]?.focus();
  const sums = totals(campaigns);
  const summary = total === 0 ? "No campaigns." : `${total.toLocaleString()} campaign${total === 1 ? "" : "s"}${sums ? `; on this page: ${sums}` : ""}.`;
  if (find("summary").textContent !== summary) find("summary").textContent = summary;
  find("pages").hidden = total <= PER_PAGE;
  find("place").textContent = `${offset + 1} to ${offset + campaigns.length}`;
  find("earlier").disabled = offset === 0;
  find("later").disabled = offset + campaigns.length >= total;
  charts(campaigns);
}

function problem(text) {
  find("problem").textContent = text;
  find("problem").hidden = false;
}

async function refresh() {
  const wanted = new URLSearchParams({...task, limit: PER_PAGE, offset});
  if (!ofRun) for (const [name, value] of new FormData(find("filters"))) if (value) {
    // A day begins where the reader is.
    wanted.set(name, ["since", "until"].includes(name) ? new Date(`${value}T00:00`).toISOString() : value.trim());
  }
  try {
    const answer = await fetch(`api/campaigns?${wanted}`, {credentials: "same-origin"});
    if (answer.ok) show(await answer.json());
    else problem(answer.status === 401 ? "You are not logged in any more. Load Airflow's page again." : `Airflow answered ${answer.status}.`);
  } catch {
    problem("Airflow cannot be reached. The figures below are the last that were seen.");
  }
}

async function keepFresh() {
  if (!document.hidden) await refresh();
  setTimeout(keepFresh, EVERY_MS);
}

function takeTheme() {
  try {
    const host = window.parent.document.documentElement;
    const chosen = ["dark", "light"].find(theme => host.classList.contains(theme) || host.dataset.theme === theme);
    if (chosen) document.documentElement.dataset.theme = chosen;
  } catch { /* The page stands alone: the browser's own setting counts. */ }
}

if (ofRun) {
  find("filters").hidden = true;
  find("title").textContent = task.task_id ? "Campaigns of this task" : "Campaigns of this run";
} else for (const name of FILTERS) {
  const field = find("filters").elements[name];
  if (query.get(name)) field[field.type === "checkbox" ? "checked" : "value"] = query.get(name);
}
find("filters").addEventListener("submit", event => { event.preventDefault(); offset = 0; refresh(); });
find("filters").addEventListener("change", () => { offset = 0; refresh(); });
find("earlier").addEventListener("click", () => { offset = Math.max(0, offset - PER_PAGE); refresh(); });
find("later").addEventListener("click", () => { offset += PER_PAGE; refresh(); });
takeTheme();
try {
  if (window.parent !== window) new MutationObserver(takeTheme).observe(window.parent.document.documentElement, {attributes: true});
} catch { /* The page is in a frame of somebody else's, who has no theme to tell. */ }
keepFresh();
