// What the scripts of the labelling pages say: the page carries the sentences as data, in the person's language.

const held = JSON.parse(document.querySelector("[data-words]")?.dataset.words ?? "{}");
const plurals = new Intl.PluralRules(document.documentElement.lang);

// The sentence `name`, with `values` where it names them; with forms for several counts, the one for `values.count`.
export function say(name, values = {}) {
  const word = held[name];
  const sentence = typeof word === "string" ? word : word[plurals.select(values.count)] ?? word.other;
  return sentence.replace(/%\((\w+)\)s/g, (_, key) => (typeof values[key] === "number" ? spaced(values[key]) : values[key]));
}

const spaced = (count) => count.toLocaleString("en").replaceAll(",", "\u202f");

// The sentence for a keyboard beside the one for a finger; a stylesheet shows the one that is of use.
function sayBoth(line, keys, taps) {
  const part = (className, text) => Object.assign(document.createElement("span"), { className, textContent: text });
  line.replaceChildren(part("by-keys", keys), part("by-taps", taps));
}

// Says in `line` what was answered before, as its button among `choices` names it.
export function tell(line, choices, value) {
  const button = choices.find((one) => one.dataset.value === value), answer = button ? button.querySelector("span").textContent : value;
  sayBoth(line, say("your_answer_keys", { answer }), say("your_answer_taps", { answer }));
}
