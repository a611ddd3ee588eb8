//! A browser, as far as setting up takes one: it keeps cookies for each host, follows where it is
//! led, and posts forms. Whose cookies go where is what it is for.

use std::collections::BTreeMap;

use landfall_os::http::{AddressRules, Client, Method, Response, Settings};
use regex::Regex;
use url::Url;

#[derive(Default)]
pub(crate) struct Browser {
    /// By origin, the cookies as they are sent.
    cookies: BTreeMap<String, String>,
}

/// What a browser shows in the end.
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) status: u16,
    pub(crate) text: String,
    /// Where it would go on to, outside of this machine.
    pub(crate) leads_to: Option<Url>,
}

impl Browser {
    pub(crate) async fn open(&mut self, url: &Url) -> Page {
        let answer = self.ask(Method::GET, url, None).await;
        self.follow(url.clone(), answer).await
    }

    /// Presses the button of the one form on a page.
    pub(crate) async fn submit(&mut self, page: &Page) -> Page {
        let (action, fields) = page.form();
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        let body = body.extend_pairs(fields).finish();
        let answer = self.ask(Method::POST, &action, Some(body)).await;
        self.follow(action, answer).await
    }

    /// One step alone: the answer, without going where it leads.
    pub(crate) async fn ask(
        &mut self,
        method: Method,
        url: &Url,
        form: Option<String>,
    ) -> Response {
        let origin = url.origin().ascii_serialization();
        let base: Url = origin.parse().unwrap();
        let rules = AddressRules::parse("127.0.0.1").unwrap();
        let client = Client::new(&Settings { rules, ..Settings::new(base) }).unwrap();
        let mut request = client.request(method, url.path_segments().unwrap());
        for (name, value) in url.query_pairs() {
            request = request.query(&name, &value);
        }
        if let Some(cookie) = self.cookies.get(&origin) {
            request = request.header("cookie", cookie);
        }
        if let Some(form) = form {
            request = request.body("application/x-www-form-urlencoded", form);
        }
        let answer = request.send().await.unwrap();
        if let Some(cookie) = answer.headers.get("set-cookie") {
            let cookie = cookie.to_str().unwrap().split(';').next().unwrap_or_default();
            self.cookies.insert(origin, cookie.to_owned());
        }
        answer
    }

    async fn follow(&mut self, mut url: Url, mut answer: Response) -> Page {
        loop {
            let location = answer.headers.get("location").map(|to| to.to_str().unwrap());
            let leads_to = location.map(|to| url.join(to).unwrap());
            let ends = leads_to.as_ref().is_none_or(|to| to.path().ends_with("/installations/new"));
            if ends {
                let text = String::from_utf8_lossy(&answer.body).into_owned();
                return Page { url, status: answer.status, text, leads_to };
            }
            url = leads_to.unwrap_or(url);
            answer = self.ask(Method::GET, &url, None).await;
        }
    }
}

impl Page {
    /// Where the form on it goes, and with which fields.
    pub(crate) fn form(&self) -> (Url, Vec<(String, String)>) {
        let action = Regex::new(r#"<form action="([^"]*)" method="post">"#).unwrap();
        let action = action.captures(&self.text).unwrap_or_else(|| panic!("{}", self.text));
        let hidden = Regex::new(r#"<input type="hidden" name="([^"]*)" value="([^"]*)">"#).unwrap();
        let fields = hidden.captures_iter(&self.text);
        let fields = fields.map(|field| (plain(&field[1]), plain(&field[2]))).collect();
        (plain(&action[1]).parse().unwrap(), fields)
    }
}

/// What an attribute says.
fn plain(attribute: &str) -> String {
    [
        ("&quot;", "\""),
        ("&#x2f;", "/"),
        ("&#x27;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(attribute.to_owned(), |text, (entity, sign)| text.replace(entity, sign))
}
