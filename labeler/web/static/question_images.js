// The images of questions: loaded before they are needed, forgotten after a while, one of them shown in its full size.

import { say } from "./words.js";

export class QuestionImages {
  constructor() { this.held = new Map(); }  // key -> {element, ready: Promise}

  of(question) {
    let one = this.held.get(question.key);
    if (!one) {
      const element = new Image(question.width, question.height);
      element.alt = say("image"); element.src = question.image;
      one = { element, ready: element.decode() };
      one.ready.catch(() => { if (this.held.get(question.key) === one) this.held.delete(question.key); });
      this.held.set(question.key, one);
    }
    return one;
  }

  forget(question) { this.held.delete(question.key); }

  keep(questions) {
    const near = new Set(questions.map((one) => one.key));
    [...this.held.keys()].filter((key) => !near.has(key)).forEach((key) => this.held.delete(key));
  }
}

// Puts the whole image into `picture`, at the place of the click; `holds` says whether it still shows the question then.
export async function enlarge(picture, question, event, holds) {
  const whole = new Image();
  whole.alt = say("image_whole"); whole.src = question.whole;
  await whole.decode().catch(() => {});
  if (!holds()) return;
  picture.classList.add("zoomed");
  picture.replaceChildren(whole);
  const x = event?.offsetX / picture.clientWidth || 0.5, y = event?.offsetY / picture.clientHeight || 0.5;
  picture.scrollTo((picture.scrollWidth - picture.clientWidth) * x, (picture.scrollHeight - picture.clientHeight) * y);
}
