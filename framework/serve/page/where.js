/**
 * What people type to narrow the index to the conditions of the API: `fold=1, label!=dog` as it is, a bare word is a label.
 */
export function conditions(text) {
  return text.split(',').map((part) => part.trim()).filter(Boolean).map((part) => part.includes('=') ? part : `label=${part}`);
}
