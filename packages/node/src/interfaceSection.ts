/** The interface description that an SDK put into a module (`spec/interface.md`). */
import { OnusError } from '@onus/protocol/errors'
import { interfaceSectionName } from '@onus/protocol/interface/description'

/** JSON of the custom section. Rejects `interface-missing`. */
export function interfaceSection(module: Uint8Array): Uint8Array {
  const [section] = WebAssembly.Module.customSections(new WebAssembly.Module(Buffer.from(module)), interfaceSectionName)
  if (section === undefined)
    throw new OnusError('interface-missing', 'the module has no custom section onus:interface', {
      remedy: 'build it with an Onus SDK',
    })
  return new Uint8Array(section)
}
