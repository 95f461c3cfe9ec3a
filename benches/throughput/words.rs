//! Sentences of ordinary Russian and English words, so that indexing them costs as much as indexing
//! real texts: some words are in most messages, and many are in few.

use super::chance::Chance;

/// Number of sentences to choose from.
const SENTENCES: usize = 2048;

const VOCABULARY: &str = "
и в не на я что с по это как мы the to you and is for у но да уже или our can we если когда сегодня
завтра пожалуйста спасибо заказ доставка можно нужно есть please order delivery today tomorrow
здравствуйте добрый день вечер утро hello thanks time price цена адрес курьер оплата карта счёт
договор встреча звонок вопрос ответ письмо менеджер клиент магазин склад товар размер цвет синий
зелёный красный белый чёрный маленький большой новый старый быстро медленно рано поздно скоро
before after already maybe still later early morning evening meeting question answer letter
invoice payment card address courier office window table chair lamp kitchen garden river street
хлеб молоко сыр чай кофе сахар яблоко груша вишня торт пирог булочка пекарня мука масло соль
bread milk cheese coffee sugar apple pear cherry cake pastry bakery flour butter salt walnut rye
дом квартира этаж подъезд дверь ключ окно лестница лифт двор парк река мост вокзал поезд билет
самолёт чемодан гостиница номер завтрак ужин обед ресторан столик меню повар официант музыка
train ticket plane suitcase hotel room breakfast dinner lunch restaurant menu cook waiter music
книга тетрадь карандаш урок школа учитель ученик задача решение проект план отчёт таблица график
срок задержка перенос отмена возврат обмен гарантия ремонт мастер инструмент деталь болт гайка
book notebook pencil lesson school teacher task solution project plan report chart deadline delay
refund exchange warranty repair tool screw wrench paint brush wall floor ceiling carpet curtain
погода дождь снег ветер солнце туман мороз жара весна лето осень зима январь февраль март апрель
май июнь июль август сентябрь октябрь ноябрь декабрь понедельник вторник среда четверг пятница
weather rain snow wind sun fog frost heat spring summer autumn winter monday tuesday wednesday
thursday friday saturday sunday north south east west left right above below near far inside out
собака кошка птица рыба лошадь корова овца коза кролик ёжик медведь волк лиса заяц белка сова
врач аптека лекарство температура анализ приём очередь запись справка больница здоровье отдых
doctor pharmacy medicine queue record health holiday beach forest mountain lake bridge station
велосипед машина автобус трамвай остановка дорога поворот светофор стоянка бензин колесо двигатель
фотография видео документ файл ссылка пароль почта телефон экран кнопка программа обновление
photo video document file link mail phone screen button program update version server message
подарок праздник рождение свадьба гости цветы букет роза тюльпан ромашка открытка конверт марка
gift party birthday wedding guests flowers bouquet rose tulip daisy postcard envelope stamp coin
ткань шерсть хлопок лён пальто куртка шапка шарф перчатки сапоги носки рубашка платье юбка ремень
fabric wool cotton linen coat jacket hat scarf gloves boots socks shirt dress skirt belt pocket
согласовать подтвердить отправить получить проверить исправить оформить забрать привезти позвонить
confirm send receive check correct collect bring call write read open close start finish remember";

/// Sentences of `bytes` bytes each, the same for the same `chance`.
pub(crate) fn sentences(bytes: usize, chance: &mut Chance) -> Vec<String> {
    let words: Vec<&str> = VOCABULARY.split_whitespace().collect();
    (0..SENTENCES)
        .map(|_| sentence(&words, bytes, chance))
        .collect()
}

fn sentence(words: &[&str], bytes: usize, chance: &mut Chance) -> String {
    let mut sentence = String::with_capacity(bytes);
    // The sentence ends with a full stop and a space.
    let words_end = bytes.saturating_sub(2);
    while sentence.len() < words_end {
        let left = words_end - sentence.len();
        let space = usize::from(!sentence.is_empty());
        let word = words[chance.small_below(words.len())];
        let taken = space + word.len();
        // A following word needs at least two bytes, with its space.
        if taken == left || taken + 2 <= left {
            sentence.push_str(&" "[..space]);
            sentence.push_str(word);
        } else if left <= 3 {
            sentence.push_str(&"..."[..left]);
        }
    }
    sentence.push_str(". ");
    sentence
}
