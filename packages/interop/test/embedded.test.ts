import { embedded } from "../src/Server.js"
import { serverSuite } from "./server.js"

serverSuite(embedded)
