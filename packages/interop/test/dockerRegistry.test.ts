import { dockerRegistry } from "../src/Server.js"
import { serverSuite } from "./server.js"

serverSuite(dockerRegistry)
