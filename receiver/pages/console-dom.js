// Building and updating the page. Everything is put in as text, never as markup.

export const $ = (id) => document.getElementById(id);

export function node(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Change an element's text only where it differs, so that nothing is laid out anew in vain. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Change an attribute only where it differs; null removes it. */
export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/**
 * Children that are updated in place: an element stays the same element as long as its key is shown, so that it
 * keeps focus, selection and place.
 */
export class KeyedList {
  constructor(parent, { key, create, update = () => {} }) {
    Object.assign(this, { parent, key, create, update });
    this.elements = new Map();
  }

  show(items) {
    const wanted = new Set(items.map(this.key));
    for (const [key, element] of this.elements) if (!wanted.has(key)) this.remove(key, element);
    let place = this.parent.firstElementChild;
    for (const item of items) {
      const element = this.element(item);
      if (element === place) place = place.nextElementSibling;
      else this.parent.insertBefore(element, place);
    }
  }

  /** Update the one element of an item, where it is shown. */
  refresh(item) {
    const element = this.elements.get(this.key(item));
    if (element) this.update(element, item);
  }

  element(item) {
    const key = this.key(item);
    let element = this.elements.get(key);
    if (!element) {
      element = this.create(item);
      this.elements.set(key, element);
    }
    this.update(element, item);
    return element;
  }

  remove(key, element) {
    // Whoever stood on a removed element goes on at its neighbour, not at the top of the page.
    if (element.contains(document.activeElement)) {
      const next = element.nextElementSibling ?? element.previousElementSibling;
      next?.querySelector("a, button")?.focus();
    }
    this.elements.delete(key);
    element.remove();
  }
}

/** A part of a page that is built anew only when what it shows has changed. */
export class Part {
  constructor(parent) {
    this.element = node("div", { class: "part" });
    this.signature = undefined;
    parent.append(this.element);
  }

  show(facts, build) {
    const signature = JSON.stringify(facts);
    if (signature === this.signature) return;
    this.signature = signature;
    this.element.replaceChildren(...build().filter((child) => child !== null));
  }
}

/** Do something once in the next frame, however often it is asked for until then. */
export function onNextFrame(work) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      work();
    });
  };
}
