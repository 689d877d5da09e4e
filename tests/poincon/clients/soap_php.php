<?php
// PHP's own SoapClient. One JSON line in: {wsdl, operation, attributes, body}; one JSON line out: {answer} or {fault}.
$asked = json_decode(stream_get_contents(STDIN), true);
try {
    $client = new SoapClient($asked["wsdl"], ["soap_version" => SOAP_1_2, "cache_wsdl" => WSDL_CACHE_NONE]);
    $said = ["answer" => $client->__soapCall($asked["operation"], [$asked["body"]])];
} catch (SoapFault $fault) {
    $said = ["fault" => $fault->getMessage()];
}
echo json_encode($said), "\n";
