import { expect, test } from 'vitest'
import { at, listAt, readYaml, textAt } from '../support/yaml-files.ts'

const workflow = readYaml('.github/workflows/release.yml')
const imageSteps = listAt(workflow, 'jobs', 'image', 'steps')

test('an image is built for amd64 and for arm64, each on its own kind of machine', () => {
  const matrix = listAt(workflow, 'jobs', 'image', 'strategy', 'matrix', 'include')
  expect(matrix.map((entry) => at(entry, 'platform'))).toEqual(['linux/amd64', 'linux/arm64'])
  expect(textAt(matrix[1], 'runner')).toMatch(/-arm$/)
})

test('what is pushed has a bill of materials and provenance', () => {
  const push = imageSteps.find((step) => textAt(step, 'with', 'outputs').includes('push=true'))
  expect(at(push, 'with', 'sbom')).toBe(true)
  expect(at(push, 'with', 'provenance')).toBe('mode=max')
})

test('an image is run and scanned before it is pushed, and tagged after both architectures were', () => {
  const names = imageSteps.map((step) => textAt(step, 'name'))
  const scan = imageSteps.findIndex((step) => textAt(step, 'uses').includes('trivy'))
  const run = names.findIndex((name) => name.startsWith('It starts'))
  const push = names.indexOf('Push it without a tag')
  expect(run).toBeGreaterThan(0)
  expect(scan).toBeGreaterThan(run)
  expect(push).toBeGreaterThan(scan)
  expect(at(imageSteps[scan], 'with', 'exit-code')).toBe('1')
  expect(at(workflow, 'jobs', 'tags', 'needs')).toBe('image')
})

test('the workflow may do no more than it must', () => {
  expect(at(workflow, 'permissions')).toEqual({ contents: 'read' })
  expect(at(workflow, 'jobs', 'tags', 'permissions')).toEqual({ packages: 'write' })
})
