import { ggcr } from "../src/Server.js"
import { serverSuite } from "./server.js"

serverSuite(ggcr)
