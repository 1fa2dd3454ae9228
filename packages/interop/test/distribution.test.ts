import { distribution } from "../src/Server.js"
import { serverSuite } from "./server.js"

serverSuite(distribution)
