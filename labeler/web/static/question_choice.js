// The images chosen for the classes of a new question: each for one, marked wherever it is shown, and counted.
// The form's hidden fields hold the choice, as the images below a caption come and go while one types. Of two classes, the
// examples of the question follow: what counts, and what does not.

const ENOUGH = 3;  // for each class
const linesOf = (field) => field.value.split("\n").map((line) => line.trim()).filter(Boolean);
const placeOf = (field) => Number(field.name.slice("chosen-".length));

// `rows` has an element for each class; `marks` shows the choice anew, `write` puts it into the form, `offered` says for
// which classes an image below a row can be chosen.
export function setUpChoice({ form, get, rows, phrase, className }) {
  const known = new Map();  // asset id -> an image of it that was shown below a caption
  const held = get("held"), chosen = new Map([...held.querySelectorAll("input")].map((field) => [field.value, placeOf(field)]));
  const sides = [form.elements.in_scope, form.elements.out_of_scope];  // of two classes: examples of the one, of the other

  function calledAt(place) { return className(rows()[place]) || `class ${place + 1}`; }

  // The places of the classes that are asked for: two, unless more are typed.
  function active() {
    const typed = rows().flatMap((row, place) => (className(row) || phrase(row) ? [place] : []));
    return typed.length > 1 ? typed : [0, 1];
  }

  function offered(row) {
    const own = rows().indexOf(row), all = active();
    return all.length === 2 && all.includes(own) ? all : [own];
  }

  function write() {
    held.replaceChildren(...[...chosen].map(([id, place]) => Object.assign(document.createElement("input"), { type: "hidden", name: `chosen-${place}`, value: id })));
    const pair = active();
    sides.forEach((field, side) => {
      const others = linesOf(field).filter((line) => !chosen.has(line));
      const mine = pair.length === 2 ? [...chosen].filter(([, place]) => place === pair[side]).map(([id]) => id) : [];
      field.value = [...others, ...mine].join("\n");
    });
  }

  // Examples that came with the form, and are shown now, are chosen images like the others.
  function adopt() {
    const pair = active();
    if (pair.length === 2) sides.forEach((field, side) => linesOf(field).forEach((line) => { if (known.has(line) && !chosen.has(line)) chosen.set(line, pair[side]); }));
  }

  function tag(place) {
    const said = document.createElement("span");
    said.className = `chosen-as c${place}`;
    said.textContent = calledAt(place);
    return said;
  }

  function mark(tile, all) {
    const image = tile.querySelector("img"), place = chosen.get(image.alt), own = Number(tile.closest("[data-pictures]").dataset.pictures);
    [...tile.classList].forEach((name) => { if (/^as-c\d$/.test(name)) tile.classList.remove(name); });
    tile.querySelector(".chosen-as")?.remove();
    if (place !== undefined) { tile.classList.add(`as-c${place}`); tile.querySelector(".pickable").append(tag(place)); }
    tile.querySelectorAll("[type=checkbox]").forEach((box) => {
      box.checked = placeOf(box) === place;
      box.closest("label").hidden = placeOf(box) !== own && (all.length > 2 || !all.includes(placeOf(box)));
    });
  }

  function picked() {
    const pair = active(), ids = (place) => [...chosen].filter(([id, at]) => at === place && known.has(id)).map(([id]) => id);
    form.querySelectorAll("[data-picked-of]").forEach((list, side) => {
      list.replaceChildren(...(pair.length === 2 ? ids(pair[side]) : []).map((id) => {
        const item = document.createElement("li");
        item.append(known.get(id).cloneNode());
        return item;
      }));
      list.hidden = !list.children.length;
    });
  }

  function tally(all) {
    const counts = all.map((place) => [place, [...chosen.values()].filter((at) => at === place).length]);
    const there = counts.every(([, count]) => count >= ENOUGH);
    get("enough").hidden = !form.querySelector("[data-pictures] img") && !chosen.size;
    get("enough-text").textContent = !there ? `${ENOUGH} images for each class are enough to begin.` : "Enough to begin. Experts answer these first.";
    get("enough-counts").replaceChildren(...counts.map(([place, count]) => {
      const item = document.createElement("li"), swatch = document.createElement("span"), figure = document.createElement("span");
      swatch.className = `swatch c${place}`; figure.className = "figures"; figure.textContent = count < ENOUGH ? `${count} of ${ENOUGH}` : `${count} ✓`;
      item.append(swatch, calledAt(place), " ", figure);
      return item;
    }));
    const first = new Set([...chosen.keys(), ...[...form.querySelectorAll("[name=pick]")].map((field) => field.value)]).size;
    get("first").textContent = first ? ` The ${first === 1 ? "image" : `${first} images`} that you chose ${first === 1 ? "comes" : "come"} first.` : "";
  }

  function marks() {
    form.querySelectorAll("[data-pictures] img").forEach((image) => known.set(image.alt, image));
    adopt();
    const all = active();
    form.querySelectorAll("[data-called]").forEach((said) => { said.textContent = calledAt(Number(said.dataset.called)); });
    form.querySelectorAll("[data-pictures] li").forEach((tile) => mark(tile, all));
    picked();
    tally(all);
  }

  function choose(id, place, on) {
    chosen.delete(id);
    sides.forEach((field) => { field.value = linesOf(field).filter((line) => line !== id).join("\n"); });
    if (on) chosen.set(id, place);
    write();
    marks();
  }

  form.addEventListener("change", (event) => {
    const box = event.target;
    if (box.matches("[data-pictures] input[type=checkbox]")) choose(box.value, placeOf(box), box.checked);
  });

  // An id that is taken out of a list by hand is chosen no more.
  sides.forEach((field) => field.addEventListener("change", () => {
    const said = new Set(sides.flatMap(linesOf));
    if (active().length === 2) [...chosen.keys()].filter((id) => !said.has(id)).forEach((id) => chosen.delete(id));
    write();
    marks();
  }));

  // A click on the image itself: of the class below whose caption it is, or of none.
  form.addEventListener("click", (event) => {
    const tile = event.target.closest("[data-pictures] .pickable")?.closest("li");
    tile?.querySelector(`[name=chosen-${tile.closest("[data-pictures]").dataset.pictures}]`).click();
  });

  return { marks, write, offered };
}
