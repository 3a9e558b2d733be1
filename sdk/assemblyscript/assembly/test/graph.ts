// Objects that refer to each other in every way, for comparison with a model: what the collector frees too early shows
// as wrong text, what it never frees as memory.

class Node {
  next: Node | null = null;
  children: Node[] = [];
  tags: Map<string, Node> = new Map<string, Node>();
  marks: Set<string> = new Set<string>();
  constructor(public id: u32, public name: string) {}
}

const nodes = new Map<u32, Node>();
let last: Node | null = null;

function nodeOf(id: u32): Node {
  if (nodes.has(id)) return nodes.get(id);
  const node = new Node(id, "node " + id.toString());
  nodes.set(id, node);
  return node;
}

/** Others may still refer to it, it to nobody: else chains of dropped nodes would grow for ever. */
function drop(node: Node): void {
  nodes.delete(node.id);
  node.next = null;
  node.children = [];
  node.tags = new Map<string, Node>();
}

/** Three numbers an operation: what, and with which nodes. Returns how many nodes there are. */
export function change(operations: u32[]): u32 {
  for (let i = 0; i + 2 < operations.length; i += 3) {
    const what = operations[i];
    const a = nodeOf(operations[i + 1]);
    const other = operations[i + 2];
    if (what == 0) a.next = nodeOf(other);
    else if (what == 1) a.children.push(nodeOf(other));
    else if (what == 2) { if (a.children.length > 0) a.children.shift(); }
    else if (what == 3) a.children.reverse();
    else if (what == 4) a.children = a.children.slice(a.children.length / 2).concat(nodeOf(other).children);
    else if (what == 5) a.tags.set("tag " + (other % 50).toString(), nodeOf(other));
    else if (what == 6) a.tags.delete("tag " + (other % 50).toString());
    else if (what == 7) a.marks.add("mark " + (other % 300).toString());
    else if (what == 8) a.marks.delete("mark " + (other % 300).toString());
    else if (what == 9) a.name = a.name.substring(a.name.length / 3) + "+" + other.toString();
    else if (what == 10) drop(a);
    else if (what == 11) last = a;
    else if (what == 12) a.tags = new Map<string, Node>();
    else if (what == 13) { const kept = a.children; drop(a); nodeOf(a.id).children = kept; }
    else a.next = null;
    if (a.children.length > 40) a.children = a.children.slice(35);
  }
  return nodes.size;
}

function named(node: Node | null): string {
  return node === null ? "-" : node.id.toString() + ":" + node.name;
}

function describe(node: Node): string {
  let text = named(node) + " > " + named(node.next) + " [";
  for (let i = 0; i < node.children.length; i++) text += named(node.children[i]) + ",";
  text += "] {";
  const tags = node.tags.keys().sort();
  for (let i = 0; i < tags.length; i++) text += tags[i] + "=" + named(node.tags.get(tags[i])) + ",";
  return text + "} " + node.marks.values().sort().join(",");
}

/** A node, what it refers to, and theirs. */
export function show(id: u32): string {
  const node = nodeOf(id);
  let text = describe(node);
  if (node.next !== null) text += "\n" + describe(node.next as Node);
  for (let i = 0; i < node.children.length; i++) text += "\n" + describe(node.children[i]);
  return text + "\n" + (last === null ? "" : describe(last as Node));
}

/** Garbage of about `count` times 48 bytes. */
export function waste(count: u32): u32 {
  let length = 0;
  for (let i: u32 = 0; i < count; i++) length += i.toString().length;
  return length;
}
