import { oras } from "../src/client/oras.js"
import { toolSuite } from "./tool.js"

toolSuite(oras)
