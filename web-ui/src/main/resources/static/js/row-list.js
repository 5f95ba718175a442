/**
 * A list with a row for each of the server's things. A row stays the same element as long as its thing is there, and with it
 * the focus.
 * @template Thing
 */
export class RowList {
  element;
  #make;
  #onFocusGone;
  #rows = new Map();

  /**
   * @param {HTMLElement} element
   * @param {(id: string) => {element: HTMLElement, show: (thing: Thing) => void}} make a row
   * @param {() => void} onFocusGone puts the focus elsewhere: the row that has it is about to go
   */
  constructor(element, make, onFocusGone) {
    this.element = element;
    this.#make = make;
    this.#onFocusGone = onFocusGone;
  }

  /** @param {(Thing & {id: string})[]} things in the order of the rows */
  show(things) {
    this.#drop(new Set(things.map(({ id }) => id)));
    things.forEach((thing, i) => {
      if (!this.#rows.has(thing.id)) this.#rows.set(thing.id, this.#make(thing.id));
      const row = this.#rows.get(thing.id);
      row.show(thing);
      if (this.element.children[i] !== row.element) this.element.insertBefore(row.element, this.element.children[i] ?? null);
    });
    this.element.hidden = things.length === 0;
  }

  #drop(staying) {
    for (const [id, { element }] of this.#rows) {
      if (staying.has(id)) continue;
      if (element.contains(document.activeElement)) this.#onFocusGone();
      element.remove();
      this.#rows.delete(id);
    }
  }
}
