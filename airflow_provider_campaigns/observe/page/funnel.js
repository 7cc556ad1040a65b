// The stages of a run's ramps as funnels: how many people each stage took, and what became of them.
const STEPS = [["taken", "Taken"], ["sent", "Sent"], ["delivered", "Delivered"], ["failed", "Failed"]];

function element(name, text, attributes = {}) {
  const node = document.createElement(name);
  if (text !== undefined && text !== null) node.textContent = text;
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

function figures(one) {
  const {created = 0, updated = 0, skipped = 0} = one.contacts || {};
  const taken = one.contacts ? created + updated + skipped : one.counts.contacts;
  return {taken, sent: one.counts.sent, delivered: one.counts.delivered ?? one.counts.received, failed: one.counts.failed};
}

function title({stage, share}) {
  if (stage === 0) return "Test contacts";
  return share === null ? `Stage ${stage}` : `Stage ${stage}: up to ${share} %`;
}

function row(one, verdict) {
  const found = figures(one), most = Math.max(1, ...Object.values(found).filter(number => number !== undefined));
  const node = element("tr");
  node.append(element("th", title(one.ramp), {scope: "row"}));
  for (const [name, label] of STEPS) {
    const cell = element("td", undefined, {"data-label": label}), number = found[name];
    if (number === undefined) cell.append("–");
    else cell.append(element("progress", "", {max: most, value: number, "aria-label": `${label} of ${title(one.ramp)}`}), ` ${number.toLocaleString()}`);
    node.append(cell);
  }
  const told = element("td", verdict ? verdict.verdict : one.status, {"data-label": "Verdict"});
  if (verdict) told.append(element("small", verdict.why));
  node.append(told);
  return node;
}

/** Return a table for each ramp among the campaigns of a run. */
export function funnels(campaigns) {
  const ramps = new Map();
  for (const one of campaigns) if (one.ramp) {
    // The tasks of a ramp's stage are in a group of their own: ramp.stage_1.launch.
    const name = one.task_id.split(".").slice(0, -2).join(".");
    ramps.set(name, [...(ramps.get(name) || []), one]);
  }
  return [...ramps].map(([name, stages]) => {
    const verdicts = new Map(stages.filter(one => one.ramp.after).map(one => [one.ramp.after.stage, one.ramp.after]));
    stages.sort((one, other) => one.ramp.stage - other.ramp.stage);
    const table = element("table"), head = element("tr");
    for (const label of ["Stage", ...STEPS.map(step => step[1]), "Verdict"]) head.append(element("th", label, {scope: "col"}));
    table.append(element("caption", `Ramp ${name}`), element("thead"), element("tbody"));
    table.querySelector("thead").append(head);
    table.querySelector("tbody").append(...stages.map(one => row(one, verdicts.get(one.ramp.stage))));
    return table;
  });
}
