// A service of the npm package `soap`: reads the WSDL, checks no schema, no signature, signs nothing.
// node soap_server.js WSDL CERTIFICATE KEY AUTHORITY  -> prints its port; ends when its standard input is closed.
'use strict'
const fs = require('fs')
const https = require('https')
const { createRequire } = require('module')
const soap = createRequire(process.cwd() + '/')('soap')

const [wsdlFile, certificate, key, authority] = process.argv.slice(2)
const server = https.createServer({
  cert: fs.readFileSync(certificate), key: fs.readFileSync(key), ca: fs.readFileSync(authority),
  requestCert: true, rejectUnauthorized: true, keepAlive: true
}, (_, answer) => { answer.statusCode = 404; answer.end() })
server.keepAliveTimeout = 60000
const answering = new Proxy({}, { get: () => () => ({ Resultat: { Code: '00', Libelle: 'ok' } }), has: () => true })
const ports = new Proxy({}, { get: () => answering, has: () => true })
const services = new Proxy({}, { get: () => ports, has: () => true })
server.listen(0, '127.0.0.1', () => {
  soap.listen(server, { path: '/soap', services, xml: fs.readFileSync(wsdlFile, 'utf8'), uri: wsdlFile,
    callback: () => { process.stdout.write(server.address().port + '\n') } })
})
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
