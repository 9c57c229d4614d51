// The gate between the window and the core (Tauri's isolation pattern): sees every call
// before it leaves, lets through only the shape our commands have. Never changes one.
// The capability file says which commands exist; this only refuses malformed or huge calls.
const LONGEST_CALL = 262144; // characters: the widest draft at its field limits is under 64 KiB

window.__TAURI_ISOLATION_HOOK__ = (call) => {
  const plain = call !== null && typeof call === 'object' && typeof call.cmd === 'string';
  if (!plain || !/^[a-z_]{1,32}$/.test(call.cmd)) throw new Error('refused');
  if (JSON.stringify(call.payload ?? null).length > LONGEST_CALL) throw new Error('refused');
  return call;
};
