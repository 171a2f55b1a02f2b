// Adds up the test reports and prints the closing line; a skipped test is a failed one here. Exit 1 unless all is well.
const { existsSync, readFileSync } = require('node:fs')

const [failedSteps, ...reports] = process.argv.slice(2)
let passed = 0
let failed = Number(failedSteps)
for (const path of reports) {
  if (!existsSync(path)) {
    failed++
    continue
  }
  const report = JSON.parse(readFileSync(path, 'utf8'))
  const skipped = report.numTotalTests - report.numPassedTests - report.numFailedTests
  passed += report.numPassedTests
  failed += report.numFailedTests + skipped
  if (skipped > 0) console.log(`${skipped} tests skipped in ${path}: components are missing`)
}
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 && passed > 0 ? 0 : 1)
