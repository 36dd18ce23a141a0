"""portal: the reference front end: the manual's screens in a browser, over the services' gateways."""
