// A chart of one campaign's progress over time, as SVG; the dashed line is the forecast.
const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 720, HEIGHT = 200, LEFT = 44, BOTTOM = 176, TOP = 12, RIGHT = 708;

function shape(name, attributes, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

/** Return the chart of a campaign, or null as long as fewer than two points are known. */
export function chart(campaign, time) {
  const points = campaign.curve || [];
  if (points.length < 2) return null;
  const first = points[0][0], [lastAt, last] = points[points.length - 1];
  const end = campaign.ends_at ? Math.max(Date.parse(campaign.ends_at) / 1000, lastAt) : lastAt;
  const x = at => LEFT + (RIGHT - LEFT) * (at - first) / Math.max(1, end - first);
  const y = percent => BOTTOM - (BOTTOM - TOP) * percent / 100;
  const path = list => list.map(([at, percent], index) => `${index ? "L" : "M"}${x(at).toFixed(1)} ${y(percent).toFixed(1)}`).join("");
  const svg = shape("svg", {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img"});
  const ends = campaign.ends_at ? `, expected to end ${time(campaign.ends_at)}` : "";
  svg.append(shape("title", {}, `Progress of ${campaign.name || campaign.id}: ${last} percent${ends}`));
  for (const percent of [0, 50, 100]) {
    svg.append(shape("line", {class: "axis", x1: LEFT, x2: RIGHT, y1: y(percent), y2: y(percent)}));
    svg.append(shape("text", {x: LEFT - 6, y: y(percent) + 4, "text-anchor": "end"}, `${percent} %`));
  }
  svg.append(shape("path", {class: "line", d: path(points)}));
  if (end > lastAt) svg.append(shape("path", {class: "forecast", d: path([[lastAt, last], [end, 100]])}));
  svg.append(shape("text", {x: LEFT, y: HEIGHT - 6}, time(first * 1000)));
  svg.append(shape("text", {x: RIGHT, y: HEIGHT - 6, "text-anchor": "end"}, time(end * 1000)));
  return svg;
}
