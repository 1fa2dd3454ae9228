import { regctl } from "../src/client/regctl.js"
import { toolSuite } from "./tool.js"

toolSuite(regctl)
