// Ask a question: of the classes to choose from, those of the chosen feature alone. Without this file all are there.
"use strict";

document.querySelectorAll("[data-classes-of]").forEach((select) => {
  const feature = document.getElementById(select.dataset.classesOf), place = Number(select.dataset.place);
  const groups = [...select.querySelectorAll("optgroup")], [none] = select.options;
  let sent = true;  // what was refused comes back as it was sent
  function fill() {
    const mine = groups.find((one) => one.label === feature.value);
    const options = mine ? [...mine.children] : [];
    const only = options.length === 2;  // then there is nothing to choose, but which one comes first
    select.replaceChildren(...(only ? [] : [none]), ...options.map((one) => one.cloneNode(true)));
    const chosen = sent ? [...select.options].findIndex((one) => one.defaultSelected) : -1;
    select.selectedIndex = chosen >= 0 ? chosen : only ? place : 0;
    sent = false;
    select.required = options.length > 2 && feature.name === "feature";  // of the other one only where a way is chosen
    select.closest("p").hidden = !mine;  // a number has no classes
  }
  feature.addEventListener("change", fill);
  fill();
});
