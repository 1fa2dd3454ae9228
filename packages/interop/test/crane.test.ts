import { crane } from "../src/client/crane.js"
import { toolSuite } from "./tool.js"

toolSuite(crane)
