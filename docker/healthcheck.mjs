// Ends with 0 when the service in this container can do its work, else with 1. Arguments: the variable that names its
// port, and the port where that is not set.
const [variable = '', usual] = process.argv.slice(2);
const url = `http://127.0.0.1:${process.env[variable] ?? usual}/readyz`;
try {
  const { ok, status } = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  if (!ok) throw new Error(`it answered ${status}`);
} catch (error) {
  process.stderr.write(`${url}: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
