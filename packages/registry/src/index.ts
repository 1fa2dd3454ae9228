export * as RegistryServer from "./RegistryServer.js"
